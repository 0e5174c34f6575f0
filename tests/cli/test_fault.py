"""Faults and services of a running node, from the shell."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from csiproxy.emulator.connect import connect
from csiproxy.testing.processes import Program


@pytest.fixture
def machine(short_directory: Path) -> Iterator[Path]:
    directory = short_directory / "n"
    program = Program("node", ["emulator", "run", "--state", str(directory)], str(short_directory / "log"))
    yield directory
    program.kill()


def test_a_fault_is_ordered_listed_and_happens(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    step = "MSFT_StorageSetting.UpdateHostStorageCache"
    shown = csi_proxy("emulator", "fault", "add", *state, step, "fail", "--code", "40002")
    assert "fails with 40002" in shown.out
    (listed,) = json.loads(csi_proxy("emulator", "fault", "list", *state, "-o", "json").out)
    assert (listed["step"], listed["action"], listed["code"]) == (step, "fail", 40002)
    assert step in csi_proxy("emulator", "fault", "list", *state).out
    host = connect(str(machine), start=False)
    found = [host.cim.invoke("MSFT_StorageSetting", "UpdateHostStorageCache").return_value for _ in range(2)]
    assert found == [40002, 0]
    assert json.loads(csi_proxy("emulator", "fault", "list", *state, "-o", "json").out) == []


def test_a_scenario_is_loaded_and_cleared(machine: Path, csi_proxy: CommandLine, tmp_path: Path) -> None:
    state = ("--state", str(machine))
    file = tmp_path / "scenario.toml"
    file.write_text("[[fault]]\nstep='MSFT_*'\naction='hang'\n[[fault]]\nstep='mounted'\naction='lose'\n")
    assert csi_proxy("emulator", "fault", "load", *state, str(file)).out.count("ordered:") == 2
    assert "nothing is ordered" in csi_proxy("emulator", "fault", "clear", *state).out
    assert json.loads(csi_proxy("emulator", "fault", "list", *state, "-o", "json").out) == []


def test_a_scenario_that_says_nonsense_orders_nothing(
    machine: Path, csi_proxy: CommandLine, tmp_path: Path
) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text("[[fault]]\nstep='x'\naction='hang'\n[[fault]]\nstep='x'\naction='explode'\n")
    shown = csi_proxy("emulator", "fault", "load", "--state", str(machine), str(file))
    assert shown.code == 1
    assert "one of fail, hang" in shown.err
    listed = csi_proxy("emulator", "fault", "list", "--state", str(machine), "-o", "json")
    assert json.loads(listed.out) == []


def test_services_are_listed_and_their_start_changed(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    assert "MSiSCSI" in csi_proxy("emulator", "service", "list", *state).out
    assert csi_proxy("emulator", "service", "set", *state, "msiscsi", "Disabled").code == 0
    listed = json.loads(csi_proxy("emulator", "service", "list", *state, "-o", "json").out)
    assert {one["name"]: one["start_mode"] for one in listed}["MSiSCSI"] == "Disabled"
    unknown = csi_proxy("emulator", "service", "set", *state, "nothing", "Auto")
    assert (unknown.code, "the node has no such service" in unknown.err) == (1, True)


def test_a_service_is_started_and_stopped_by_the_operator(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    for _ in range(2):
        assert "told to start" in csi_proxy("emulator", "service", "start", *state, "msiscsi").out
    listed = json.loads(csi_proxy("emulator", "service", "list", *state, "-o", "json").out)
    assert {one["name"]: one["state"] for one in listed}["MSiSCSI"] in ("Start Pending", "Running")
    assert csi_proxy("emulator", "service", "stop", *state, "StorSvc").code == 0
    refused = csi_proxy("emulator", "service", "stop", *state, "RpcSs")
    assert (refused.code, "does not stop it" in refused.err, "1052" in refused.err) == (1, True, True)


def test_steps_are_listed_and_codes_may_be_hexadecimal(machine: Path, csi_proxy: CommandLine) -> None:
    state = ("--state", str(machine))
    steps = csi_proxy("emulator", "fault", "steps", *state).out.split()
    assert {"MSFT_Disk.Initialize", "MSFT_Volume", "set_mount_point"} < set(steps)
    assert json.loads(csi_proxy("emulator", "fault", "steps", *state, "-o", "json").out) == steps
    add = ("emulator", "fault", "add", *state)
    assert "0x80041003" in csi_proxy(*add, "MSFT_Disk", "fail", "--code", "0x80041003").out
    assert "0x80041003" in csi_proxy("emulator", "fault", "list", *state).out
    listed = json.loads(csi_proxy("emulator", "fault", "list", *state, "-o", "json").out)
    assert [one["code"] for one in listed] == [0x80041003]


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (("MSFT_Disk.Initialise", "hang"), 1, "fault steps"),
        (("MSFT_Disk", "fail"), 1, "needs it"),
        (("MSFT_Disk", "slow"), 1, "needs them"),
        (("MSFT_Disk", "vanish"), 1, "number of a disk"),
        (("MSFT_Disk", "explode"), 2, "explode"),
        (("MSFT_Disk", "fail", "--code", "many"), 2, "0x80041003"),
        (("MSFT_Disk", "fail", "--code", "-1"), 2, "0x80041003"),
    ],
)
def test_a_fault_that_could_never_happen_is_refused_with_what_to_do(
    machine: Path, csi_proxy: CommandLine, arguments: tuple[str, ...], code: int, hint: str
) -> None:
    shown = csi_proxy("emulator", "fault", "add", "--state", str(machine), *arguments)
    assert (shown.code, hint in shown.err) == (code, True), shown.err
    assert json.loads(csi_proxy("emulator", "fault", "list", "--state", str(machine), "-o", "json").out) == []
