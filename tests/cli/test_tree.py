import io
import json
from dataclasses import replace

from rich.console import Console
from tests.cli.conftest import CommandLine

from csiproxy.cli.demo.node import Node
from csiproxy.cli.inventory import Disk, Link, Links, Partition, Volume
from csiproxy.cli.tree import draw
from csiproxy.storage.disk import Location

MIB = 1 << 20
VOLUME = r"\\?\Volume{6d1f3e5a-7c0b-4b52-9a34-2f8f0f6b1c01}" + "\\"
MOUNT, LINK = r"C:\k\plugins\pvc", r"C:\k\pods\uid\pvc"


def disk_with(*volumes: Volume) -> Disk:
    partitions = (
        Partition(1, MIB, 16 * MIB, True, False, False, ()),
        Partition(2, 17 * MIB, 239 * MIB, False, False, False, volumes),
    )
    return Disk(1, 256 * MIB, "GPT", True, False, False, "S1", (), Location("1", "0", "0", "3"), partitions)


def drawn(*disks: Disk, links: tuple[Link, ...] = ()) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200).print(draw("node x", disks, Links(links, complete=True)))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_a_link_hangs_below_the_mount_point_of_its_volume_and_disk() -> None:
    volume = Volume(VOLUME, "NTFS", True, 239 * MIB, 2 * MIB, (MOUNT,))
    links = (Link(MOUNT, "mount point", VOLUME), Link(LINK, "symbolic link", MOUNT + "\\"))
    assert (
        drawn(disk_with(volume), links=links)
        == rf"""node x
└── disk 1  256 MiB  GPT  online  LUN 3  serial S1
    ├── partition 1  16 MiB  reserved
    └── partition 2  239 MiB
        └── {VOLUME}  NTFS  2 MiB of 239 MiB used
            └── mounted at {MOUNT}
                └── symbolic link {LINK}"""
    )


def test_a_raw_volume_is_not_formatted() -> None:
    assert f"{VOLUME}  not formatted" in drawn(disk_with(Volume(VOLUME, "", False, 0, 0, ())))


def test_an_extended_partition_is_called_so() -> None:
    disk = disk_with()
    extended = Partition(0, MIB, 200 * MIB, False, True, False, ())
    assert "partition 0  200 MiB  extended\n" in drawn(replace(disk, partitions=(extended, *disk.partitions)))


def test_what_leads_to_no_volume_comes_last() -> None:
    links = (Link(MOUNT, "mount point", VOLUME), Link(r"C:\k\pods\evil", "other reparse point", ""))
    assert drawn(links=links).splitlines()[1:] == [
        "└── other links and mount points",
        f"    ├── mount point {MOUNT} → {VOLUME}",
        r"    └── other reparse point C:\k\pods\evil → unknown",
    ]


def test_links_in_a_circle_end() -> None:
    volume = Volume(VOLUME, "NTFS", True, MIB, 0, (MOUNT,))
    links = tuple(Link(rf"C:\k\{n}", "symbolic link", rf"C:\k\{(n + 1) % 3}") for n in range(3))
    assert drawn(disk_with(volume), links=links).count("symbolic link") == 3


def test_the_command_draws_a_node_and_gives_programs_the_facts(node: Node, csi_proxy: CommandLine) -> None:
    shown = csi_proxy("tree", "--state", node.directory)
    assert shown.code == 0
    assert shown.out.startswith(f"node {node.directory}\n├── disk 0  64 GiB  GPT  online, system")
    assert "mounted at C:" in shown.out
    document = json.loads(csi_proxy("tree", "--state", node.directory, "-o", "json").out)
    assert document["node"] == node.directory
    assert [disk["number"] for disk in document["disks"]] == [0, 1]
    assert document["links"] == []
