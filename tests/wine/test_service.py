"""csi-proxy as a service under Wine's service control manager."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.emulator.entered import Entered
from tests.wine.serving import ASK_HEALTH, SECONDS
from tools.wine.prefix import SOURCE, Prefix, windows_path
from tools.wine.prepare import bed

pytestmark = pytest.mark.wine

PYTHON = r"C:\csi-proxy\python\python.exe"
LOG = r"C:\csi-proxy\csi-proxy.log"


@pytest.fixture(scope="module")
def windows(wine: Prefix) -> Prefix:
    """A Windows with a Python of its own that csi-proxy is installed in; others cannot change its folder."""
    here = wine.drive_c / "csi-proxy"
    here.mkdir()
    subprocess.run(["cp", "-a", "--symbolic-link", bed().python, here / "python"], check=True)
    shutil.copytree(SOURCE / "src" / "csiproxy", here / "python" / "Lib" / "site-packages" / "csiproxy")
    return wine


@pytest.fixture(autouse=True)
def _no_service(windows: Prefix) -> Iterator[None]:
    yield
    service(windows, "uninstall")
    (windows.drive_c / "csi-proxy" / "csi-proxy.log").unlink(missing_ok=True)


def service(windows: Prefix, *arguments: str) -> subprocess.CompletedProcess[str]:
    return windows.run(PYTHON, "-m", "csiproxy", "service", *arguments, environment={"PYTHONPATH": ""})


def status(windows: Prefix) -> dict:
    return json.loads(service(windows, "status", "-o", "json").stdout)


def install(windows: Prefix, emulated: Entered, *flags: str) -> None:
    host = f"emulator:{windows_path(emulated.token_file)}"
    logging = [f"-log_file={LOG}", "-logtostderr=false", "-v=5"]
    ended = service(windows, "install", "--start", "demand", "--", "--host", host, *logging, *flags)
    assert ended.returncode == 0, ended.stderr


def log(windows: Prefix) -> str:
    return (windows.drive_c / "csi-proxy" / "csi-proxy.log").read_text()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def source(windows: Prefix) -> bool:
    """Whether the event log knows csi-proxy."""
    key = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\csi-proxy"
    return "EventCreate.exe" in windows.run("reg", "query", key).stdout


def test_a_service_is_installed_started_asked_stopped_and_removed(windows: Prefix, emulated: Entered) -> None:
    install(windows, emulated)
    assert status(windows)["state"] == "stopped"
    assert source(windows)
    started = service(windows, "start")
    assert started.returncode == 0, (started.stderr, log(windows))
    found = status(windows)
    assert found["state"] == "running"
    assert found["pid"]
    asked = windows.run_python(["-c", ASK_HEALTH])
    assert asked.stdout.strip() == r"b'\x08\x01'", asked.stderr
    stopped = service(windows, "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert status(windows)["state"] == "stopped"
    assert "log flags without effect here: -v" in log(windows)
    assert service(windows, "uninstall").returncode == 0
    assert "install it first" in service(windows, "status").stderr
    assert not source(windows)


def test_the_go_projects_way_of_making_the_service_works(windows: Prefix, emulated: Entered) -> None:
    host = f"emulator:{windows_path(emulated.token_file)}"
    command = f"{PYTHON} -m csiproxy -windows-service --host {host} -log_file={LOG} -logtostderr=false"
    created = windows.run("sc", "create", "csiproxy", "binPath=", command, "start=", "demand")
    assert created.returncode == 0, created.stdout
    assert windows.run("sc", "start", "csiproxy").returncode == 0
    until(lambda: status(windows)["state"] == "running")
    assert windows.run("sc", "stop", "csiproxy").returncode == 0
    until(lambda: status(windows)["state"] == "stopped")
    assert windows.run("sc", "delete", "csiproxy").returncode == 0


def test_a_service_that_cannot_serve_ends_with_its_own_code_and_logs_why(
    windows: Prefix, emulated: Entered
) -> None:
    install(windows, emulated, "--serve", "nothing/v9")
    started = service(windows, "start")
    assert started.returncode == 1
    assert "its own 2" in started.stderr
    assert "--serve or --no-serve" in log(windows)


def test_a_service_that_was_killed_can_be_started_again(windows: Prefix, emulated: Entered) -> None:
    install(windows, emulated, "--serve", "disk/v1")
    assert service(windows, "start").returncode == 0
    pid = status(windows)["pid"]
    assert windows.run("taskkill", "/f", "/pid", str(pid)).returncode == 0
    until(lambda: status(windows)["state"] == "stopped")
    assert service(windows, "start").returncode == 0
    asked = windows.run_python(["-c", ASK_HEALTH])
    assert asked.stdout.strip() == r"b'\x08\x01'", asked.stderr


def test_a_program_in_a_folder_that_others_can_change_is_no_service(
    windows: Prefix, emulated: Entered, tmp_path: Path
) -> None:
    shutil.copytree(SOURCE / "src" / "csiproxy", tmp_path / "open" / "csiproxy")
    (tmp_path / "open" / "csiproxy").chmod(0o777)
    program = f"import sys; sys.path.insert(0, r'{windows_path(tmp_path / 'open')}'); "
    program += "from csiproxy.cli import main; sys.exit(main())"
    host = f"emulator:{windows_path(emulated.token_file)}"
    flags = f"--host {host} -log_file={LOG} -logtostderr=false"
    command = f'{windows_path(windows.python)} -c "{program}" -windows-service {flags}'
    created = windows.run("sc", "create", "csiproxy", "binPath=", command, "start=", "demand")
    assert created.returncode == 0, created.stdout
    started = service(windows, "start")
    assert started.returncode == 1
    assert "can be changed by" in log(windows)


def test_the_service_flag_without_the_service_control_manager_says_so(
    windows: Prefix, emulated: Entered
) -> None:
    host = f"emulator:{windows_path(emulated.token_file)}"
    ended = windows.run_python(["-m", "csiproxy", "-windows-service", "--host", host, f"-log_file={LOG}"])
    assert ended.returncode == 2
    assert "leave out -windows-service" in ended.stderr
