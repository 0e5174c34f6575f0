"""csi-proxy.exe as it is given to an operator: its version, its commands, and as a service."""

import json
import shutil
from pathlib import Path

import pytest
from tests.conftest import do_without
from tests.emulator.entered import Entered
from tests.wine.serving import ASK_HEALTH
from tools.wine.build_exe import PLACE
from tools.wine.prefix import Prefix, windows_path

import csiproxy
from csiproxy.doctor.assumptions import ASSUMPTIONS

pytestmark = pytest.mark.wine

PROGRAM = r"C:\csi-proxy-exe\csi-proxy.exe"


@pytest.fixture(scope="module")
def windows(wine: Prefix) -> Prefix:
    if not PLACE.is_dir():
        do_without("csi-proxy.exe is not built (make windows builds it)")
    shutil.copytree(PLACE, wine.drive_c / "csi-proxy-exe")
    return wine


def test_it_says_its_version_and_lists_what_it_serves(windows: Prefix) -> None:
    ended = windows.run(PROGRAM, "--version")
    assert ended.stdout.strip() == f"csi-proxy {csiproxy.__version__}", ended.stderr
    listed = windows.run(PROGRAM, "versions")
    assert "csi-proxy-filesystem-v1" in listed.stdout, listed.stderr


def test_its_file_has_the_version_too(windows: Prefix) -> None:
    name = r"\StringFileInfo\040904B0\ProductVersion"
    read = f"import win32api; print(win32api.GetFileVersionInfo(r'{PROGRAM}', r'{name}'))"
    assert windows.run_python(["-c", read]).stdout.strip() == csiproxy.__version__


def test_it_runs_as_a_service_that_is_made_as_the_go_projects_is(windows: Prefix, emulated: Entered) -> None:
    host = f"emulator:{windows_path(emulated.token_file)}"
    flags = r"-windows-service -v=5 -logtostderr=false -log_file=C:\csi-proxy-exe\csi-proxy.log"
    command = f"{PROGRAM} {flags} -metrics-bind-address=localhost:0 --host {host}"
    created = windows.run("sc.exe", "create", "csiproxy", "start=", "demand", "binPath=", command)
    assert created.returncode == 0, created.stdout
    try:
        started = windows.run(PROGRAM, "service", "start")
        log = windows.drive_c / "csi-proxy-exe" / "csi-proxy.log"
        assert started.returncode == 0, (started.stderr, log.exists() and log.read_text())
        asked = windows.run_python(["-c", ASK_HEALTH])
        assert asked.stdout.strip() == r"b'\x08\x01'", asked.stderr
        request = r'{"path": "C:\\var\\lib\\kubelet"}'
        called = windows.run(PROGRAM, "call", "filesystem/v1", "PathExists", request)
        assert '"exists": true' in called.stdout, called.stderr
        assert windows.run(PROGRAM, "service", "stop").returncode == 0
    finally:
        windows.run(PROGRAM, "service", "uninstall")
    assert "/v1.Filesystem/PathExists" in log.read_text()


def test_a_flag_that_cannot_be_meant_is_refused_before_a_service_is_made(windows: Prefix) -> None:
    ended = windows.run(PROGRAM, "service", "install", "--", "--grace", "never")
    assert ended.returncode == 2
    assert "seconds" in ended.stderr
    assert "install it first" in windows.run(PROGRAM, "service", "status").stderr


def test_its_folder_is_all_that_it_needs(windows: Prefix, tmp_path: Path) -> None:
    ended = windows.run(PROGRAM, "serve", "--help", environment={"PYTHONPATH": "", "PYTHONHOME": ""})
    assert ended.returncode == 0, ended.stderr
    assert "--metrics-bind-address" in ended.stdout


def test_it_reaches_the_machines_own_files_and_wmi(windows: Prefix) -> None:
    ended = windows.run(PROGRAM, "doctor", "--kubelet-path", r"C:\csi-proxy-exe", "-o", "json")
    found = {one["name"]: one["state"] for one in json.loads(ended.stdout)}
    assert {found[name] for name in ("account", "kubelet path", r"WMI Root\CIMV2")} == {"ok"}, ended.stdout
    tried = windows.run(PROGRAM, "doctor", "--self-test", "-o", "json")
    assert [one["name"] for one in json.loads(tried.stdout)] == [one.name for one in ASSUMPTIONS], (
        tried.stderr
    )
