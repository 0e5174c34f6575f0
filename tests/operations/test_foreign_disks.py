"""Disks that other tools made: used as they are, and still whole to those tools afterwards."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.emulated import MIB, PLUGINS, Staged
from tests.operations.disk_images import Slice, staged, with_gpt
from tests.operations.ground import layout
from tests.operations.refusals import refused

from csiproxy.emulator import image
from csiproxy.errors import AlreadyExists, CsiProxyError, FailedPrecondition
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import FileSystemType, PartitionType
from csiproxy.storage.disk import PartitionStyle

pytestmark = pytest.mark.foreign

STAGING = PLUGINS + r"\pv\globalmount"


class Tools:
    """An image below a test's directory, and other projects' programs on it."""

    def __init__(self, foreign: Callable[[str], str], path: Path) -> None:
        self._foreign = foreign
        self.path = str(path)

    def create(self, size: int) -> None:
        image.create(self.path, size)

    def run(self, program: str, *arguments: str, given: str = "") -> str:
        command = [self._foreign(program), *arguments]
        return subprocess.run(command, input=given, text=True, check=True, capture_output=True).stdout

    def sfdisk(self, *lines: str) -> None:
        self.run("sfdisk", "-q", self.path, given="\n".join((*lines, "")))

    def sgdisk(self, *options: str) -> str:
        return self.run("sgdisk", *options, self.path)

    def dump(self) -> list[str]:
        """The table as sfdisk sees it, one line a partition, blanks squeezed."""
        return [" ".join(line.split()) for line in self.run("sfdisk", "-d", self.path).splitlines()]

    def verify(self) -> None:
        """sfdisk finds no fault, nor does sgdisk on GPT."""
        assert "No errors detected" in self.run("sfdisk", "--verify", self.path)
        if "label: gpt" in self.dump():
            assert "No problems found" in self.sgdisk("-v")


@pytest.fixture
def tools(foreign, tmp_path) -> Tools:
    return Tools(foreign, tmp_path / "elsewhere.img")


@pytest.fixture
def call() -> Context:
    return Context()


def device(volume: Staged) -> str:
    return rf"\\.\PhysicalDrive{volume.disk}"


def use(volume: Staged, call: Context) -> None:
    """What a driver does with a volume that is not formatted yet."""
    groups = volume.node.operations()
    assert not groups.volume.is_volume_formatted(call, volume_id=volume.id).formatted
    groups.volume.format_volume(call, volume_id=volume.id)
    volume.node.make(STAGING)
    groups.volume.mount_volume(call, volume_id=volume.id, target_path=STAGING)
    volume.put("file")
    assert volume.node.names(STAGING) == ["file"]
    groups.volume.unmount_volume(call, volume_id=volume.id, target_path=STAGING)


def grow(volume: Staged, call: Context, size: int = 0) -> int:
    groups = volume.node.operations()
    groups.volume.resize_volume(call, volume_id=volume.id, size_bytes=size)
    storage = volume.node.storage
    return storage.volumes.partition(storage.volumes.get(volume.id)).size


# --- tables ------------------------------------------------------------------------------------------------


def test_an_mbr_of_several_kinds_keeps_what_is_not_windows(node, tools, call):
    tools.create(256 * MIB)
    tools.sfdisk(
        "label: dos",
        "label-id: 0x0badcafe",
        "1 : start=63, size=20000, type=7, bootable",
        "2 : start=40001, size=7777, type=83",
        "3 : start=100000, size=40000, type=c",
        "4 : start=300000, size=40000, type=7",
    )
    before = tools.dump()
    volumes = staged(node, tools.path)
    assert [p.offset for p in node.storage.disks.partitions(volumes[0].disk)] == [
        sector * 512 for sector in (63, 40001, 100000, 300000)
    ]
    groups = node.operations()
    for kind in PartitionType:
        returned = groups.csi_proxy_service.partition_disk(call, disk_device=device(volumes[0]), type=kind)
        assert returned.volume_device == volumes[0].id
    for volume in volumes:
        use(volume, call)
    assert tools.dump() == before
    assert [grow(volume, call) for volume in volumes] == [19 * MIB, 97 * MIB, 108 * MIB]
    tools.verify()
    after = tools.dump()
    assert [line for line in after if "type=83" in line] == [line for line in before if "type=83" in line]
    assert [line for line in after if "label-id" in line] == ["label-id: 0x0badcafe"]
    assert "bootable" in next(line for line in after if "start= 63," in line)


EXTENDED = (
    "label: dos",
    "1 : start=2048, size=20M, type=7",
    "2 : start=204800, size=100M, type=5",
    "5 : start=206848, size=10M, type=7",
    "6 : start=247808, size=10M, type=7",
)


def test_volumes_in_an_extended_partition_are_used_and_it_is_never_grown_over(node, tools, call):
    tools.create(256 * MIB)
    tools.sfdisk(*EXTENDED)
    before = tools.dump()
    volumes = staged(node, tools.path)
    assert len(volumes) == 3
    node.operations().disk.partition_disk(call, disk_number=volumes[0].disk)
    for volume in volumes:
        use(volume, call)
    assert tools.dump() == before
    assert grow(volumes[0], call, 90 * MIB) == 90 * MIB
    assert [grow(volume, call) for volume in volumes] == [99 * MIB, 19 * MIB, 79 * MIB]
    tools.verify()
    begins = [[line.split("size=")[0] for line in dump] for dump in (tools.dump(), before)]
    assert begins[0] == begins[1]
    assert [line for line in tools.dump() if "type=5" in line] == [
        line for line in before if "type=5" in line
    ]


GUID = "5e0a4b6c-1b1c-4a8e-9f65-2d1c9c9a0{:03}"


def test_a_gpt_with_gaps_and_partitions_on_no_boundary_is_used_as_it_is(node, tools, call):
    """Slots in another order than the partitions lie on the disk, and numbers with holes."""
    tools.create(256 * MIB)
    tools.sgdisk(
        "-a1", "-U", GUID.format(0),
        "-n7:34:2081", "-t7:0700", "-u7:" + GUID.format(7),
        "-n2:300000:340000", "-t2:0700", "-u2:" + GUID.format(2),
        "-n5:5001:70002", "-t5:0700", "-u5:" + GUID.format(5), "-c5:a name",
        "-n1:90001:90100", "-t1:8300", "-u1:" + GUID.format(1),
    )  # fmt: skip
    untouched = tools.sgdisk("-i1")
    volumes = staged(node, tools.path)
    assert [volume.id for volume in volumes] == [
        rf"\\?\Volume{{{GUID.format(number)}}}" + "\\" for number in (7, 5, 2)
    ]
    before = layout(node, volumes[0].disk)
    assert [offset for offset, _, _ in before] == [sector * 512 for sector in (34, 5001, 90001, 300000)]
    node.operations().disk.partition_disk(call, disk_number=volumes[0].disk)
    for volume in volumes:
        use(volume, call)
    assert layout(node, volumes[0].disk) == before
    assert [grow(volume, call) for volume in volumes] == [2 * MIB, 41 * MIB, 108 * MIB]
    tools.verify()
    assert tools.sgdisk("-i1") == untouched
    named = tools.sgdisk("-i5")
    assert "'a name'" in named
    assert GUID.format(5).upper() in named
    assert GUID.format(0).upper() in tools.sgdisk("-p")


def test_a_gpt_with_a_larger_table_keeps_it(node, tools, call):
    tools.create(128 * MIB)
    tools.sgdisk("-S", "512")
    tools.sgdisk("-n400:0:+20M", "-t400:0700")
    [volume] = staged(node, tools.path)
    use(volume, call)
    assert grow(volume, call) > 100 * MIB
    tools.verify()
    assert "holds up to 512 entries" in tools.sgdisk("-p")
    assert "Partition GUID code" in tools.sgdisk("-i400")


@pytest.mark.parametrize("label", ["gpt", "msdos"])
def test_a_table_of_parted_is_used_and_parted_sees_what_became_of_it(node, tools, call, label):
    tools.create(128 * MIB)
    kind = "primary" if label == "msdos" else "data"
    tools.run("parted", "-s", tools.path, "mklabel", label)
    for begin, end in ((1, 20), (60, 80)):
        tools.run("parted", "-s", tools.path, "mkpart", kind, "ntfs", f"{begin}MiB", f"{end}MiB")
    volumes = staged(node, tools.path)
    for volume in volumes:
        use(volume, call)
    assert [grow(volume, call) for volume in volumes] == [59 * MIB, 67 * MIB]
    said = tools.run("parted", "-s", "-m", tools.path, "unit", "MiB", "print").splitlines()[2:]
    assert [":".join(line.split(":")[1:4]) for line in said] == [
        "1.00MiB:60.0MiB:59.0MiB",
        "60.0MiB:127MiB:67.0MiB",
    ]


@pytest.mark.parametrize(
    ("label", "style"), [("gpt", PartitionStyle.GPT), ("dos", PartitionStyle.MBR)], ids=["gpt", "mbr"]
)
def test_an_empty_table_from_elsewhere_gets_its_partition(node, tools, call, label, style):
    tools.create(64 * MIB)
    tools.sfdisk(f"label: {label}")
    number = node.machine.disks.attach(tools.path)
    node.operations().disk.partition_disk(call, disk_number=number)
    assert node.storage.disks.get(number).style is style
    [volume] = node.operations().disk.volumes_of(number)
    use(Staged(node, number, volume.id), call)
    tools.verify()


def test_a_gpt_that_sgdisk_calls_damaged_is_whole_to_it_after_use(node, tools, call):
    tools.create(128 * MIB)
    tools.sgdisk("-n1:0:+20M", "-t1:0700")
    with open(tools.path, "r+b") as file:
        file.seek(512)
        file.write(bytes(512))
    assert "corrupt GPT" in tools.sgdisk("-v")
    [volume] = staged(node, tools.path)
    use(volume, call)
    tools.verify()


# --- file systems ------------------------------------------------------------------------------------------

AT, LENGTH = 16 * MIB, 64 * MIB

MAKERS = {
    "NTFS": ("mkntfs", "-F", "-q", "-f", "-s", "512", "-p", "0", "-H", "0", "-S", "0"),
    "FAT32": ("mkfs.vfat", "-F", "32", "-s", "1"),
    "FAT": ("mkfs.vfat", "-F", "16"),
    "exFAT": ("mkfs.exfat",),
    "ext4": ("mke2fs", "-q", "-t", "ext4"),
}


@pytest.fixture(params=MAKERS)
def formatted(request, node, tools, tmp_path) -> tuple[str, Staged]:
    """A volume with a file system made elsewhere: its name and the volume."""
    program, *options = MAKERS[request.param]
    whole = tmp_path / "partition"
    image.create(str(whole), LENGTH)
    tools.run(program, *options, str(whole))
    with_gpt(tools.path, 128 * MIB, Slice(AT, LENGTH))
    tools.run("dd", f"if={whole}", f"of={tools.path}", "bs=1M", "seek=16", "conv=notrunc,sparse")
    whole.unlink()
    [volume] = staged(node, tools.path)
    return request.param, volume


def content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_a_file_system_from_elsewhere_is_known_and_never_written(node, tools, formatted, call):
    name, volume = formatted
    before = content(tools.path)
    groups = node.operations()
    node.make(STAGING)
    assert groups.volume.is_volume_formatted(call, volume_id=volume.id).formatted
    assert node.storage.volumes.get(volume.id).file_system == name
    groups.disk.partition_disk(call, disk_number=volume.disk)
    for reformat in (False, True):
        with pytest.raises(CsiProxyError):
            node.operations(allow_reformat=reformat).volume.format_volume(call, volume_id=volume.id)
    for wanted, windows in ((FileSystemType.NTFS, "NTFS"), (FileSystemType.FAT, "FAT32")):
        if name == windows:
            groups.csi_proxy_service.format_volume(call, volume_device=volume.id, type=wanted)
        else:
            with refused(AlreadyExists, 183):
                groups.csi_proxy_service.format_volume(call, volume_device=volume.id, type=wanted)
    with refused(FailedPrecondition, 1005):
        groups.volume.mount_volume(call, volume_id=volume.id, target_path=STAGING)
    with refused(FailedPrecondition, 1005):
        groups.volume.resize_volume(call, volume_id=volume.id, size_bytes=0)
    groups.volume.resize_volume(call, volume_id=volume.id, size_bytes=LENGTH)
    groups.volume.write_volume_cache(call, volume_id=volume.id)
    assert node.names(STAGING) == []
    assert content(tools.path) == before


@pytest.mark.parametrize("name", MAKERS)
def test_a_file_system_on_the_whole_disk_is_never_partitioned_over(node, tools, call, name):
    program, *options = MAKERS[name]
    tools.create(LENGTH)
    tools.run(program, *options, tools.path)
    before = content(tools.path)
    number = node.machine.disks.attach(tools.path)
    groups = node.operations(sleep=lambda _: None)
    with pytest.raises(CsiProxyError) as caught:
        groups.disk.partition_disk(call, disk_number=number)
    assert name in str(caught.value)
    for kind in PartitionType:
        with pytest.raises(CsiProxyError):
            groups.csi_proxy_service.partition_disk(
                call, disk_device=rf"\\.\PhysicalDrive{number}", type=kind
            )
    assert content(tools.path) == before


def test_another_tool_finds_what_was_formatted_here_to_be_none_of_its_own(node, tools, call):
    """A volume of the directory store must not look like a file system that somebody would mount."""
    volume: Staged = node.volume()
    path = node.image_of(volume.disk)
    partition = next(p for p in node.storage.disks.partitions(volume.disk) if not p.is_reserved)
    probe = subprocess.run(
        [tools._foreign("blkid"), "-p", "-O", str(partition.offset), "-S", str(partition.size), path],
        capture_output=True,
        text=True,
    )
    assert "TYPE=" not in probe.stdout
