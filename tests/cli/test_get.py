import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine
from tests.iscsi_target import TargetServer

from csiproxy.cli.demo.node import Node
from csiproxy.cli.get import disk_state
from csiproxy.cli.inventory import Disk

PLUGINS = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"


@pytest.fixture(scope="module")
def used_node(node: Node) -> Node:
    """The node with a volume on disk 1, mounted."""
    node.client.call("disk/v1", "PartitionDisk", {"disk_number": 1})
    reply = node.client.call("volume/v1", "ListVolumesOnDisk", {"disk_number": 1})
    volume = reply.texts("volume_ids")[0]
    node.client.call("volume/v1", "FormatVolume", {"volume_id": volume})
    node.client.call("filesystem/v1", "Mkdir", {"path": PLUGINS + r"\pvc"})
    node.client.call("volume/v1", "MountVolume", {"volume_id": volume, "target_path": PLUGINS + r"\pvc"})
    return node


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_disks_are_a_table(used_node: Node, csi_proxy: CommandLine) -> None:
    shown = csi_proxy("get", "disks", "--state", used_node.directory)
    assert shown.code == 0
    head, system, disk = rows(shown.out)
    assert head[0] == "DISK"
    assert system[:6] == ["0", "64", "GiB", "GPT", "online,", "system"]
    assert disk[:5] == ["1", "64", "MiB", "GPT", "online"]
    assert "SERIAL-1" in disk


def test_disks_are_json_for_programs(used_node: Node, csi_proxy: CommandLine) -> None:
    disks = json.loads(csi_proxy("get", "disks", "--state", used_node.directory, "-o", "json").out)
    assert disks[1]["serial_number"] == "SERIAL-1"
    assert disks[1]["location"]["lun"] == "3"
    assert disks[1]["size"] == 64 << 20
    assert disks[1]["partitions"][1]["volumes"][0]["mount_points"] == [PLUGINS + r"\pvc"]


def test_volumes_say_where_they_are_mounted(used_node: Node, csi_proxy: CommandLine) -> None:
    where = ("--host", f"emulator:{used_node.directory}")
    lines = csi_proxy("get", "volumes", *where).out.splitlines()
    assert any(line.rstrip().endswith(PLUGINS + r"\pvc") and " NTFS " in line for line in lines)
    documents = json.loads(csi_proxy("get", "volumes", *where, "-o", "json").out)
    assert [(volume["disk"], volume["partition"]) for volume in documents] == [(0, 1), (0, 3), (1, 2)]


def test_mounts_lead_to_their_disk(used_node: Node, csi_proxy: CommandLine) -> None:
    lines = csi_proxy("get", "mounts", "--state", used_node.directory).out.splitlines()
    assert lines[1].startswith(PLUGINS + r"\pvc  mount point  \\?\Volume{")
    assert lines[1].endswith(" 1")
    (mount,) = json.loads(csi_proxy("get", "mounts", "--state", used_node.directory, "-o", "json").out)
    assert (mount["path"], mount["kind"], mount["disk"]) == (PLUGINS + r"\pvc", "mount point", 1)


def test_nothing_is_said_to_be_nothing(used_node: Node, csi_proxy: CommandLine) -> None:
    where = ("--state", used_node.directory, "--kubelet-path", r"C:\var\lib\kubelet\pods")
    assert csi_proxy("get", "mounts", *where).out == "nothing found\n"
    assert csi_proxy("get", "mounts", *where, "-o", "json").out == "[]\n"


def test_a_bad_path_is_a_line_of_text(used_node: Node, csi_proxy: CommandLine) -> None:
    shown = csi_proxy("get", "mounts", "--state", used_node.directory, "--kubelet-path", "var")
    assert shown.code == 1
    assert "  windows  161 ERROR_BAD_PATHNAME" in shown.err


@pytest.mark.parametrize("what", ["disks", "volumes", "mounts"])
def test_without_a_node_the_command_that_starts_one_is_said(
    what: str, csi_proxy: CommandLine, tmp_path: Path
) -> None:
    shown = csi_proxy("get", what, "--state", str(tmp_path))
    assert shown.code == 1
    assert f"csi-proxy emulator run --state {tmp_path}" in shown.err
    error = json.loads(csi_proxy("get", what, "--state", str(tmp_path), "-o", "json").out)["error"]
    assert "no emulated node answers" in error["message"]


@pytest.mark.parametrize(
    ("online", "read_only", "system", "words"),
    [
        (True, False, False, "online"),
        (False, True, False, "offline, read-only"),
        (True, False, True, "online, system"),
    ],
)
def test_the_state_of_a_disk_is_words(online: bool, read_only: bool, system: bool, words: str) -> None:
    disk = Disk(1, 1, "GPT", online, read_only, system, "", (), None, ())
    assert disk_state(disk) == words


def test_targets_of_a_node_whose_initiator_does_not_run_are_a_failure_that_says_so(
    node: Node, csi_proxy: CommandLine
) -> None:
    shown = csi_proxy("get", "targets", "--state", node.directory)
    assert shown.code == 1
    assert "MSiSCSI" in shown.err


@pytest.mark.foreign
def test_targets_are_listed_with_their_portals_sessions_and_disks(
    node: Node, csi_proxy: CommandLine, target_server: TargetServer
) -> None:
    iqn, other = target_server.offer("one"), target_server.offer("two")
    portal = {"target_address": target_server.address, "target_port": target_server.port}
    node.client.call("system/v1alpha1", "StartService", {"name": "MSiSCSI"})
    node.client.call("iscsi/v1alpha2", "AddTargetPortal", {"target_portal": portal})
    node.client.call("iscsi/v1alpha2", "ConnectTarget", {"target_portal": portal, "iqn": iqn})
    where = f"{target_server.address}:{target_server.port}"
    head, *lines = csi_proxy("get", "targets", "--state", node.directory).out.splitlines()
    assert head.split() == ["TARGET", "PORTALS", "SESSION", "DISKS"]
    assert [line.split() for line in lines] == [[iqn, where, "connected", "2"], [other, where, "none"]]
    first, _ = json.loads(csi_proxy("get", "targets", "--state", node.directory, "-o", "json").out)
    assert first == {
        "iqn": iqn, "portals": [where], "connected": True, "persistent": False, "disks": [2],
    }  # fmt: skip
    node.client.call("iscsi/v1alpha2", "DisconnectTarget", {"target_portal": portal, "iqn": iqn})
    node.client.call("iscsi/v1alpha2", "RemoveTargetPortal", {"target_portal": portal})
    node.client.call("system/v1alpha1", "StopService", {"name": "MSiSCSI"})
    assert csi_proxy("get", "disks", "--state", node.directory).code == 0
