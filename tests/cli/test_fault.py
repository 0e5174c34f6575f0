"""Faults and services of a running node, from the shell."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from csiproxy.cli.demo.processes import Program
from csiproxy.emulator.connect import connect


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
    file.write_text("[[fault]]\nstep='MSFT_*'\naction='hang'\n[[fault]]\nstep='x'\naction='lose'\n")
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
    assert (unknown.code, "no service nothing" in unknown.err) == (1, True)
