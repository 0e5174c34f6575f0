"""Disks as clouds, appliances and accidents make them: large, nameless, alike, of other sectors, damaged."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.emulated import GIB, MIB, PLUGINS, EmulatedNode, Staged
from tests.operations.disk_images import Slice, staged, with_extended, with_gpt, with_mbr
from tests.operations.ground import data, identifier, layout
from tests.operations.refusals import refused

from csiproxy.emulator import gpt
from csiproxy.emulator.attachment import BusType
from csiproxy.emulator.image import Image
from csiproxy.errors import CsiProxyError, DataLoss, NotFound, OutOfRange
from csiproxy.host.win32 import CodeSet, IdentifierType
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import FileSystemType, PartitionType
from csiproxy.storage.disk import PartitionStyle

TIB = 1 << 40
STAGING = PLUGINS + r"\pv\globalmount"


@pytest.fixture
def call() -> Context:
    return Context()


def device(number: int) -> str:
    return rf"\\.\PhysicalDrive{number}"


def path_of(node: EmulatedNode) -> str:
    return str(node.directory / "disk.img")


def use(volume: Staged, call: Context) -> None:
    """What a driver does with a volume, up to a file on it."""
    groups = volume.node.operations()
    if not groups.volume.is_volume_formatted(call, volume_id=volume.id).formatted:
        groups.volume.format_volume(call, volume_id=volume.id)
    volume.node.make(STAGING)
    groups.volume.mount_volume(call, volume_id=volume.id, target_path=STAGING)
    volume.put("file")
    assert volume.node.names(STAGING) == ["file"]
    assert groups.volume.get_volume_id_from_target_path(call, target_path=STAGING).volume_id == volume.id
    groups.volume.unmount_volume(call, volume_id=volume.id, target_path=STAGING)


# --- sectors of 4 KiB --------------------------------------------------------------------------------------


def test_a_disk_of_4_kib_sectors_is_used_as_it_is(node, call):
    path = with_gpt(path_of(node), 256 * MIB, Slice(MIB, 20 * MIB), sector_size=4096)
    [volume] = staged(node, path)
    groups = node.operations()
    before = layout(node, volume.disk)
    groups.disk.partition_disk(call, disk_number=volume.disk)
    assert layout(node, volume.disk) == before
    use(volume, call)
    groups.volume.resize_volume(call, volume_id=volume.id, size_bytes=0)
    [(offset, size, _)] = layout(node, volume.disk)
    assert (offset, size % 4096, size) == (MIB, 0, 254 * MIB)
    volume.detach()
    opened = Image(path)
    table = gpt.read(opened)
    assert (table.sector_size, gpt.halves_agree(opened, table)) == (4096, True)
    opened.close()


def test_an_empty_table_of_4_kib_sectors_gets_its_partition(node, call):
    number = node.machine.disks.attach(with_gpt(path_of(node), 256 * MIB, sector_size=4096))
    node.operations().disk.partition_disk(call, disk_number=number)
    [partition] = data(node, number)
    assert (partition.offset % MIB, partition.size % 4096) == (0, 0)


def test_a_disk_of_4_kib_sectors_that_grew_has_its_backup_at_the_new_end(node, call):
    path = with_gpt(path_of(node), 128 * MIB, Slice(MIB, 100 * MIB), sector_size=4096)
    [volume] = staged(node, path)
    node.machine.disks.grow(volume.disk, 256 * MIB)
    node.operations().volume.resize_volume(call, volume_id=volume.id, size_bytes=200 * MIB)
    assert [size for _, size, _ in layout(node, volume.disk)] == [200 * MIB]
    volume.detach()
    with open(path, "rb") as file:
        file.seek(256 * MIB - 4096)
        assert file.read(8) == b"EFI PART"


# --- 10 TiB ------------------------------------------------------------------------------------------------


def on_host(path: str) -> int:
    """Bytes that a sparse file takes."""
    return os.stat(path).st_blocks * 512


def test_ten_tebibytes_are_one_volume_and_take_no_room(node, call):
    number = node.attach(10 * TIB, "disk.img")
    groups = node.operations()
    volume = Staged(
        node,
        number,
        groups.csi_proxy_service.partition_disk(
            call, disk_device=device(number), type=PartitionType.GPT
        ).volume_device,
    )
    assert groups.disk.get_disk_stats(call, disk_number=number).total_bytes == 10 * TIB
    use(volume, call)
    stats = groups.volume.get_volume_stats(call, volume_id=volume.id)
    assert 10 * TIB - 32 * MIB < stats.total_bytes < 10 * TIB
    assert stats.used_bytes < GIB
    node.machine.disks.grow(number, 12 * TIB)
    groups.volume.resize_volume(call, volume_id=volume.id, size_bytes=12 * TIB)
    assert groups.volume.get_volume_stats(call, volume_id=volume.id).total_bytes > 12 * TIB - 32 * MIB
    assert on_host(node.image_of(number)) < 16 * MIB


def test_mbr_reaches_to_2_tib_of_a_larger_disk_and_fat32_to_32_gib(node, call):
    number = node.attach(10 * TIB, "disk.img")
    groups = node.operations()
    service = groups.csi_proxy_service
    volume = service.partition_disk(call, disk_device=device(number), type=PartitionType.MBR).volume_device
    assert node.storage.disks.get(number).style is PartitionStyle.MBR
    [partition] = data(node, number)
    assert partition.offset + partition.size == 2 * TIB
    with refused(OutOfRange, 87):
        service.format_volume(call, volume_device=volume, type=FileSystemType.FAT)
    service.format_volume(call, volume_device=volume, type=FileSystemType.NTFS)
    service.resize_volume(call, volume_device=volume, new_size=10 * TIB)
    assert data(node, number)[0].size == partition.size


# --- several partitions on MBR -----------------------------------------------------------------------------

FOUR = (
    Slice(63 * 512, 10 * MIB),
    Slice(11 * MIB + 512, 5 * MIB - 512, is_data=False),
    Slice(20 * MIB, 8 * MIB),
    Slice(200 * MIB, 8 * MIB),
)


def test_each_volume_of_an_mbr_disk_is_used_on_its_own(node, call):
    volumes = staged(node, with_mbr(path_of(node), 256 * MIB, *FOUR))
    groups = node.operations()
    assert len(volumes) == 3, "the one that is not Windows' has no volume"
    returned = groups.csi_proxy_service.partition_disk(
        call, disk_device=device(volumes[0].disk), type=PartitionType.GPT
    )
    assert returned.volume_device == volumes[0].id
    before = layout(node, volumes[0].disk)
    for index, volume in enumerate(volumes):
        use(volume, call)
        assert Path(volume.files, "file").exists()
        for other in volumes[index + 1 :]:
            assert not groups.volume.is_volume_formatted(call, volume_id=other.id).formatted
    assert layout(node, volumes[0].disk) == before
    groups.volume.resize_volume(call, volume_id=volumes[1].id, size_bytes=0)
    after = layout(node, volumes[0].disk)
    assert [size for _, size, _ in after] == [10 * MIB, 5 * MIB - 512, 180 * MIB, 8 * MIB]
    assert [offset for offset, _, _ in after] == [offset for offset, _, _ in before]


def test_a_partition_is_asked_for_by_its_rank_on_the_disk(node, call):
    volumes = staged(node, with_mbr(path_of(node), 256 * MIB, *FOUR))
    listed = node.operations().volume.list_volumes_on_disk
    by_rank = [
        listed(call, disk_number=volumes[0].disk, partition_number=rank).volume_ids for rank in range(1, 6)
    ]
    assert by_rank == [(volumes[0].id,), (), (volumes[1].id,), (volumes[2].id,), ()]


def test_an_empty_extended_partition_is_left_alone_and_the_rest_is_used(node, call):
    container = Slice(40 * MIB, 10 * MIB)
    number = node.machine.disks.attach(with_extended(path_of(node), 256 * MIB, container=container))
    node.operations().disk.partition_disk(call, disk_number=number)
    assert [(offset, size) for offset, size, _ in layout(node, number)] == [
        (40 * MIB, 10 * MIB),
        (50 * MIB, 206 * MIB),
    ]


def test_a_disk_of_partitions_that_are_not_windows_is_1005_and_stays_as_it_is(node, call):
    path = with_mbr(path_of(node), 64 * MIB, Slice(MIB, 20 * MIB, is_data=False))
    number = node.machine.disks.attach(path)
    before = Path(path).read_bytes()
    with pytest.raises(CsiProxyError) as caught:
        node.operations(sleep=lambda _: None).disk.partition_disk(call, disk_number=number)
    assert caught.value.windows_code == 1005
    assert Path(path).read_bytes() == before


# --- names -------------------------------------------------------------------------------------------------

EUI = bytes.fromhex("6479A7B2C0DE0001")


def test_an_nvme_disk_is_named_by_its_eui_and_hangs_on_no_lun(node, call):
    names = (identifier(EUI, code_set=CodeSet.BINARY, type=IdentifierType.EUI64),)
    number = node.attach(64 * MIB, "disk.img", bus=BusType.NVME, identifiers=names, serial="AWS-1")
    groups = node.operations()
    found = groups.csi_proxy_service.list_disk_ids(call).disk_id[device(number)]
    assert found.ids == ("eui." + EUI.hex(), "serial.AWS-1")
    assert groups.disk.list_disk_ids(call).disk_ids[number].page83 == EUI.hex()
    at = groups.disk.list_disk_locations(call).disk_locations.get(number)
    assert at is None or (at.target, at.lun_id) == ("", "")
    groups.disk.partition_disk(call, disk_number=number)
    use(Staged(node, number, groups.disk.volumes_of(number)[0].id), call)


def test_a_disk_without_page_83_has_its_serial_number_and_nobody_finds_it_by_an_empty_name(node, call):
    number = node.attach(64 * MIB, "disk.img", identifiers=(), serial="  WD-1 ")
    groups = node.operations()
    assert groups.disk.list_disk_ids(call).disk_ids[number].page83 == ""
    assert groups.csi_proxy_service.list_disk_ids(call).disk_id[device(number)].ids == ("serial.WD-1",)
    with refused(NotFound, 1168):
        groups.disk.get_disk_number_by_name(call, disk_name="")


def test_a_disk_that_has_no_name_at_all_is_listed_without_one(node, call):
    number = node.attach(64 * MIB, "disk.img", identifiers=(), serial="")
    assert node.operations().csi_proxy_service.list_disk_ids(call).disk_id[device(number)].ids == ()


def test_disks_of_one_name_are_told_apart_by_number_alone(node, call):
    """Cheap appliances give every disk the same serial number; what is done to one is done to that one."""
    names = (identifier(b"SAME"),)
    first, second = (
        node.attach(64 * MIB, name, identifiers=names, serial="0000", policy_read_only=True)
        for name in ("a.img", "b.img")
    )
    groups = node.operations()
    listed = groups.disk.list_disk_ids(call).disk_ids
    assert listed[first] == listed[second]
    assert groups.disk.get_disk_number_by_name(call, disk_name="SAME").disk_number == str(first)
    groups.disk.partition_disk(call, disk_number=second)
    assert (len(data(node, first)), len(data(node, second))) == (0, 1)
    state = {number: node.storage.disks.get(number) for number in (first, second)}
    assert [(state[n].is_offline, state[n].is_read_only) for n in (first, second)] == [
        (True, True),
        (False, False),
    ]


def test_a_copy_of_a_disk_beside_it_becomes_a_disk_of_its_own(node, call):
    original = node.volume()
    original.put("file")
    copy = str(node.directory / "copy.img")
    Path(copy).write_bytes(Path(node.image_of(original.disk)).read_bytes())
    number = node.machine.disks.attach(copy)
    groups = node.operations()
    assert not groups.disk.get_disk_state(call, disk_number=number).is_online
    groups.disk.partition_disk(call, disk_number=number)
    [volume] = groups.disk.volumes_of(number)
    assert volume.id != original.id
    for one, disk in ((volume.id, number), (original.id, original.disk)):
        found = groups.volume.get_disk_number_from_volume_id(call, volume_id=one)
        assert found.disk_number == disk
    assert os.listdir(original.files) == ["file"]


# --- damage ------------------------------------------------------------------------------------------------


def overwrite(path: str, *places: tuple[int, bytes]) -> None:
    with open(path, "r+b") as file:
        for at, what in places:
            file.seek(at, os.SEEK_END if at < 0 else os.SEEK_SET)
            file.write(what)


HEADER, ENTRIES, BACKUP = (512, bytes(512)), (1024, b"\xff" * 64), (-512, bytes(512))


@pytest.mark.parametrize("damage", [HEADER, ENTRIES, BACKUP], ids=["header", "entries", "backup"])
def test_a_disk_with_one_whole_table_is_used_and_mended(node, call, damage):
    path = with_gpt(path_of(node), 64 * MIB, Slice(MIB, 20 * MIB), Slice(40 * MIB, 8 * MIB))
    overwrite(path, damage)
    volumes = staged(node, path)
    assert len(volumes) == 2
    node.operations().disk.partition_disk(call, disk_number=volumes[0].disk)
    for volume in volumes:
        use(volume, call)
    volumes[0].detach()
    opened = Image(path)
    assert gpt.halves_agree(opened, gpt.read(opened))
    opened.close()


DAMAGED = {
    "GPT": (with_gpt, (HEADER, BACKUP)),
    "MBR": (with_mbr, ((446, b"\x7f"),)),
}


@pytest.mark.parametrize("style", DAMAGED)
def test_a_disk_without_a_whole_table_is_never_written(node, call, style):
    make, places = DAMAGED[style]
    path = make(path_of(node), 64 * MIB, Slice(MIB, 20 * MIB))
    overwrite(path, *places)
    before = Path(path).read_bytes()
    number = node.machine.disks.attach(path)
    groups = node.operations()
    for attempt in changes(node, number):
        with pytest.raises(DataLoss, match="restore the table, or clear the disk") as caught:
            attempt()
        assert caught.value.windows_code == 1393
    groups.disk.rescan(call)
    assert groups.disk.get_disk_stats(call, disk_number=number).total_bytes == 64 * MIB
    assert groups.disk.volumes_of(number) == []
    assert Path(path).read_bytes() == before
    assert node.machine.disks.inventory()[number].problem


def test_a_disk_that_cannot_be_read_is_not_called_damaged_and_nobody_is_told_to_clear_it(node, call):
    number = node.attach()
    os.truncate(node.image_of(number), 0)
    node.operations().disk.rescan(call)
    with pytest.raises(DataLoss, match="failed to read or write") as caught:
        node.operations().disk.partition_disk(call, disk_number=number)
    assert caught.value.windows_code == 1117
    assert "clear" not in str(caught.value)


def test_a_disk_without_a_whole_table_is_used_anew_once_it_was_cleared(node, call):
    make, places = DAMAGED["GPT"]
    path = make(path_of(node), 64 * MIB, Slice(MIB, 20 * MIB))
    overwrite(path, *places)
    number = node.machine.disks.attach(path)
    disk = node.storage.disks.get(number).instance
    assert node.machine.session.invoke(disk, "Clear").return_value == 41008
    assert node.machine.session.invoke(disk, "Clear", RemoveData=True).return_value == 0
    node.operations().disk.partition_disk(call, disk_number=number)
    assert len(data(node, number)) == 1


def changes(node: EmulatedNode, number: int) -> list[Callable[[], object]]:
    groups = node.operations()
    return [
        lambda: groups.disk.partition_disk(Context(), disk_number=number),
        *(
            lambda kind=kind: groups.csi_proxy_service.partition_disk(
                Context(), disk_device=device(number), type=kind
            )
            for kind in PartitionType
        ),
    ]


def test_an_image_that_shrank_while_it_was_away_is_damaged_until_it_is_restored(node, call):
    path = with_gpt(path_of(node), 64 * MIB, Slice(MIB, 20 * MIB), Slice(40 * MIB, 8 * MIB))
    whole = Path(path).read_bytes()
    os.truncate(path, 32 * MIB)
    number = node.machine.disks.attach(path)
    for attempt in changes(node, number):
        with refused(DataLoss, 1393):
            attempt()
    assert Path(path).read_bytes() == whole[: 32 * MIB]
    Path(path).write_bytes(whole)
    groups = node.operations()
    groups.disk.rescan(call)
    volumes = [Staged(node, number, volume.id) for volume in groups.disk.volumes_of(number)]
    assert len(volumes) == 2
    for volume in volumes:
        use(volume, call)


def test_an_image_that_shrinks_under_its_volumes_fails_their_calls_and_no_others(node, call):
    """The file is cut while the disk is in use: calls on what is gone fail, nothing is written."""
    path = with_gpt(path_of(node), 256 * MIB, Slice(MIB, 20 * MIB), Slice(128 * MIB, 100 * MIB))
    near, far = staged(node, path)
    groups = node.operations()
    for volume in (near, far):
        groups.volume.format_volume(call, volume_id=volume.id)
    os.truncate(path, 64 * MIB)
    node.make(STAGING)
    for attempt, code in (
        (lambda: groups.volume.format_volume(call, volume_id=far.id), 1117),
        (lambda: groups.volume.mount_volume(call, volume_id=far.id, target_path=STAGING), 1005),
        (lambda: groups.volume.resize_volume(call, volume_id=far.id, size_bytes=0), 1168),
        # From here on the disk was looked at again, and its table does not fit it any more.
        (lambda: groups.volume.resize_volume(call, volume_id=near.id, size_bytes=0), 1168),
        (lambda: groups.disk.partition_disk(call, disk_number=near.disk), 1393),
    ):
        with pytest.raises(CsiProxyError) as caught:
            attempt()
        assert caught.value.windows_code == code, caught.value
    assert os.stat(path).st_size == 64 * MIB, "nothing grew it again"
    assert node.names(STAGING) == []
    other = node.volume()
    use(other, call)
    os.truncate(path, 256 * MIB)
    groups.disk.rescan(call)
    assert len(groups.disk.volumes_of(near.disk)) == 2
