import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from csiproxy.cli.attach import BUSES, attach
from csiproxy.cli.demo.node import Node
from csiproxy.emulator.attachment import BusType
from csiproxy.emulator.control import OPTION_TYPES


def disks_of(node: Node, csi_proxy: CommandLine) -> dict[int, dict]:
    shown = csi_proxy("get", "disks", "--state", node.directory, "-o", "json")
    return {disk["number"]: disk for disk in json.loads(shown.out)}


def test_everything_that_a_node_can_be_told_of_a_disk_has_an_option() -> None:
    assert set(OPTION_TYPES) <= {parameter.name for parameter in attach.params}


def test_every_kind_of_bus_has_a_name() -> None:
    assert set(BUSES.values()) == set(BusType)
    assert BUSES["fibre-channel"] is BusType.FIBRE_CHANNEL


def test_a_disk_is_as_its_operator_describes_it(node: Node, csi_proxy: CommandLine) -> None:
    shown = csi_proxy(
        "emulator", "attach", "--state", node.directory, f"{node.directory}-a.img", "--create", "32MiB",
        "--number", "9", "--vendor", "Google", "--product", "PersistentDisk", "--serial", "SN9",
        "--page83", "vendor:Google pvc-9", "--page83", "naa:6001405a1b2c3d4e", "--bus", "scsi",
        "--adapter", "4", "--bus-number", "2", "--target", "5", "--lun", "6",
    )  # fmt: skip
    assert shown.code == 0
    assert shown.out.startswith("disk 9: ")
    disk = disks_of(node, csi_proxy)[9]
    assert disk["serial_number"] == "SN9"
    assert disk["identifiers"] == ["Google pvc-9", "6001405a1b2c3d4e"]
    assert disk["location"] == {"adapter": "4", "bus": "2", "target": "5", "lun": "6"}
    assert (disk["online"], disk["read_only"]) == (True, False)


@pytest.mark.parametrize(
    ("flag", "online", "read_only"),
    [("--read-only", True, True), ("--offline", False, False), ("--policy-read-only", False, True)],
)
def test_states_that_a_disk_may_come_in(
    flag: str, online: bool, read_only: bool, node: Node, csi_proxy: CommandLine
) -> None:
    image = f"{node.directory}{flag}.img"
    shown = csi_proxy(
        "emulator", "attach", "--state", node.directory, image, "--create", "32MiB", flag, "-o", "json"
    )
    disk = disks_of(node, csi_proxy)[json.loads(shown.out)["number"]]
    assert (disk["online"], disk["read_only"]) == (online, read_only)


def test_a_missing_image_is_not_made(node: Node, csi_proxy: CommandLine, tmp_path: Path) -> None:
    shown = csi_proxy("emulator", "attach", "--state", node.directory, str(tmp_path / "no.img"))
    assert shown.code == 1
    assert "  windows  2 ERROR_FILE_NOT_FOUND" in shown.err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_option_is_a_wrong_command_line(csi_proxy: CommandLine, tmp_path: Path) -> None:
    for wrong in (("--create", "big"), ("--page83", "naa:6"), ("--bus", "isa"), ("--lun", "-1")):
        shown = csi_proxy("emulator", "attach", "--state", str(tmp_path / "n"), "x.img", *wrong)
        assert shown.code == 2, wrong
    assert list(tmp_path.iterdir()) == []
