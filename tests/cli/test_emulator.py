import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from csiproxy.emulator.connect import connect
from csiproxy.testing.processes import Program


@pytest.fixture
def machine(short_directory: Path) -> Iterator[Path]:
    """The directory of a node that runs."""
    directory = short_directory / "n"
    program = Program("node", ["emulator", "run", "--state", str(directory)], str(short_directory / "log"))
    yield directory
    program.kill()


def test_run_says_that_it_is_ready_and_ends_on_sigterm(short_directory: Path) -> None:
    log = short_directory / "log"
    program = Program("node", ["emulator", "run", "--state", str(short_directory / "n")], str(log))
    assert program.stop() == 0
    assert log.read_text() == (f"ready: the emulated node in {short_directory}/n, process {program.pid}\n")


def test_a_second_node_on_the_same_directory_is_refused(machine: Path, csi_proxy: CommandLine) -> None:
    shown = csi_proxy("emulator", "run", "--state", str(machine))
    assert shown.code == 1
    assert "runs on" in shown.err
    assert "Traceback" not in shown.err


def test_a_ready_descriptor_that_is_not_open_is_said_so(
    csi_proxy: CommandLine, short_directory: Path
) -> None:
    shown = csi_proxy("emulator", "run", "--state", str(short_directory / "n"), "--ready-fd", "987")
    assert shown.code == 1
    assert "file descriptor 987 is not open" in shown.err
    assert not (short_directory / "n").exists()


def test_a_disk_is_attached_grown_listed_and_detached(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    image = f"{machine}.img"
    assert csi_proxy("emulator", "attach", *state, image, "--create", "64MiB").out.startswith("disk 1: ")
    assert "disk 1 has 128 MiB now" in csi_proxy("emulator", "grow", *state, "1", "128MiB").out
    assert os.path.getsize(image) == 128 << 20
    assert image in csi_proxy("emulator", "list", *state).out
    (_, disk) = json.loads(csi_proxy("emulator", "list", *state, "-o", "json").out)
    assert (disk["number"], disk["image"], disk["present"]) == (1, image, True)
    assert csi_proxy("emulator", "detach", *state, "1").out == "disk 1 is detached\n"
    assert len(json.loads(csi_proxy("emulator", "list", *state, "-o", "json").out)) == 1
    assert os.path.exists(image)


def test_what_was_done_is_json_for_programs(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine), "-o", "json")
    image = f"{machine}.img"
    attached = csi_proxy("emulator", "attach", *state, image, "--create", "64MiB")
    assert json.loads(attached.out) == {"number": 1, "image": image}
    grown = csi_proxy("emulator", "grow", *state, "1", "1GiB")
    assert json.loads(grown.out) == {"number": 1, "size": 1 << 30}
    assert json.loads(csi_proxy("emulator", "detach", *state, "1").out) == {"number": 1}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("detach", "7"), "no disk has the number 7"),
        (("detach", "0"), "system disk"),
        (("grow", "0", "1MiB"), "never shrink"),
    ],
)
def test_what_a_node_refuses_is_a_line_of_text(
    arguments: tuple[str, ...], words: str, machine: Path, csi_proxy: CommandLine
) -> None:
    command, *rest = arguments
    shown = csi_proxy("emulator", command, "--state", str(machine), *rest)
    assert shown.code == 1
    assert words in shown.err
    assert "  windows  " in shown.err


def test_reset_makes_a_fresh_node_and_leaves_images(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    csi_proxy("emulator", "attach", *state, f"{machine}.img", "--create", "64MiB")
    assert csi_proxy("emulator", "reset", *state).code == 0
    assert len(json.loads(csi_proxy("emulator", "list", *state, "-o", "json").out)) == 1
    assert os.path.exists(f"{machine}.img")


def test_a_seed_alone_decides_identifiers(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    found = []
    for number in (1, 2):
        csi_proxy("emulator", "reset", *state)
        assert csi_proxy("emulator", "seed", *state, "a seed").code == 0
        csi_proxy("emulator", "attach", *state, f"{machine}-{number}.img", "--create", "64MiB")
        found.append(json.loads(csi_proxy("emulator", "list", *state, "-o", "json").out)[1]["serial"])
    assert found[0] == found[1]


def test_stop_ends_the_node(short_directory: Path, csi_proxy: CommandLine) -> None:
    directory = short_directory / "n"
    program = Program("node", ["emulator", "run", "--state", str(directory)], str(short_directory / "log"))
    assert csi_proxy("emulator", "stop", "--state", str(directory)).out == (
        f"the node was told to stop (process {program.pid})\n"
    )
    assert program.wait() == 0


@pytest.mark.parametrize(
    "arguments", [("detach", "1"), ("grow", "1", "1GiB"), ("list",), ("reset",), ("stop",)]
)
def test_a_node_that_does_not_run_is_not_made_by_mistake(
    arguments: tuple[str, ...], csi_proxy: CommandLine, tmp_path: Path
) -> None:
    command, *rest = arguments
    shown = csi_proxy("emulator", command, "--state", str(tmp_path / "typo"), *rest)
    assert shown.code == 1
    assert f"start it: csi-proxy emulator run --state {tmp_path}/typo" in shown.err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_node_without_a_traceback(short_directory: Path) -> None:
    reader, writer = os.pipe()
    command = [sys.executable, "-m", "csiproxy", "emulator", "run", "--state", str(short_directory / "n")]
    with subprocess.Popen(
        [*command, "--ready-fd", str(writer)],
        pass_fds=(writer,),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as child:
        os.close(writer)
        assert os.read(reader, 16) == b"READY\n"
        os.close(reader)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
    assert (child.returncode, errors) == (0, b"")


def test_windows_programs_come_in_by_the_token_file_which_goes_with_the_node(
    short_directory: Path,
) -> None:
    token = short_directory / "token"
    options = ["--tcp", "127.0.0.1:0", "--token-file", str(token)]
    program = Program(
        "node",
        ["emulator", "run", "--state", str(short_directory / "n"), *options],
        str(short_directory / "log"),
    )
    host = connect(str(token))
    assert len(host.cim.instances("MSFT_Disk")) == 1
    with host.win32.open_root("C:\\") as root:
        assert [entry.name for entry in host.win32.entries(root)] == ["var"]
    assert program.stop() == 0
    assert not token.exists()


@pytest.mark.parametrize("option", [["--tcp", "127.0.0.1:0"], ["--token-file", "/tmp/none"]])
def test_an_entrance_needs_an_address_and_a_file(
    csi_proxy: CommandLine, short_directory: Path, option: list[str]
) -> None:
    shown = csi_proxy("emulator", "run", "--state", str(short_directory / "n"), *option)
    assert (shown.code, "go together" in shown.err) == (2, True)


def test_an_entrance_that_others_could_reach_is_refused(
    csi_proxy: CommandLine, short_directory: Path
) -> None:
    options = ["--tcp", "0.0.0.0:0", "--token-file", str(short_directory / "token")]
    shown = csi_proxy("emulator", "run", "--state", str(short_directory / "n"), *options)
    assert (shown.code, "no loopback address" in shown.err) == (1, True)
