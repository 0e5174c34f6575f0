from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from csiproxy.cli.failure import Failure
from csiproxy.cli.node_control import control, start_if_needed


def test_attach_starts_a_node_that_does_not_run_and_says_so(
    short_directory: Path, csi_proxy: CommandLine
) -> None:
    state = ("--state", str(short_directory / "n"))
    image = str(short_directory / "disk.img")
    first = csi_proxy("emulator", "attach", *state, image, "--create", "64MiB")
    try:
        assert first.code == 0
        assert first.out.startswith("disk 1: ")
        assert first.err.startswith(f"started the node in {short_directory}/n; 'csi-proxy emulator stop")
        second = csi_proxy("emulator", "attach", *state, image + "2", "--create", "64MiB")
        assert (second.code, second.err) == (0, "")
    finally:
        assert csi_proxy("emulator", "stop", *state).code == 0


def test_the_control_of_no_node_is_a_failure_with_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failed:
        control(str(tmp_path))
    assert "csi-proxy emulator run" in failed.value.problem.next_step


def test_a_running_node_is_not_started_again(short_directory: Path) -> None:
    start_if_needed(str(short_directory / "n"))
    with control(str(short_directory / "n")) as node:
        process = node.process
        start_if_needed(str(short_directory / "n"))
        assert node.process == process
        node.stop()
