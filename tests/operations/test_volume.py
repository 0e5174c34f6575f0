"""Group volume, line by line of what is promised."""

import os

import pytest
from tests.emulated import GIB, KUBELET, MIB, NO_VOLUME, PLUGINS, PODS, EmulatedNode
from tests.operations.ground import events, ext4, system_volumes
from tests.operations.refusals import refused
from tests.storage.scheduled import LossySession

from csiproxy.errors import (
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    Unavailable,
)
from csiproxy.operations import Operations
from csiproxy.operations.context import Context
from csiproxy.operations.volume import VolumeGroup, parse_volume_id
from csiproxy.storage.disk import PartitionStyle

STAGING = PLUGINS + r"\pv1\globalmount"
PUBLISHED = PODS + r"\uid\volumes\pv1"


@pytest.fixture
def groups(node: EmulatedNode) -> Operations:
    return node.operations()


@pytest.fixture
def volumes(groups) -> VolumeGroup:
    return groups.volume


@pytest.fixture
def call() -> Context:
    return Context()


# --- ids ---------------------------------------------------------------------------------------------------

GUID = "0123abcd-0000-4000-8000-00000000beef"
CANONICAL = rf"\\?\Volume{{{GUID}}}" + "\\"


@pytest.mark.parametrize(
    "text",
    [
        CANONICAL,
        CANONICAL[:-1],
        CANONICAL.upper().replace("VOLUME", "volume"),
        rf"\\?\Volume\{{{GUID}}}",
        rf"\\?\Volume\{{{GUID}}}" + "\\",
    ],
)
def test_every_legal_form_of_a_volume_id_is_made_canonical(text):
    assert parse_volume_id(text) == CANONICAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",  # a disk's number, as one driver sends it
        GUID,
        "{" + GUID + "}",
        rf"\\.\Volume{{{GUID}}}" + "\\",
        rf"\??\Volume{{{GUID}}}",
        CANONICAL + "\\",
        CANONICAL + "x",
        CANONICAL + "\n",
        " " + CANONICAL,
        CANONICAL.replace("beef", "bee"),
        CANONICAL.replace("beef", "bee\uff26"),
        CANONICAL.replace("-", ""),
        CANONICAL.replace("\\", "/"),
        rf"\\?\Volume{{{GUID}'; DROP}}",
        "C:\\",
    ],
)
def test_anything_else_is_no_volume_id(groups, volumes, call, text):
    path = STAGING
    for ask in (
        lambda: parse_volume_id(text),
        lambda: volumes.is_volume_formatted(call, volume_id=text),
        lambda: volumes.format_volume(call, volume_id=text),
        lambda: volumes.mount_volume(call, volume_id=text, target_path=path),
        lambda: volumes.unmount_volume(call, volume_id=text, target_path=path),
        lambda: volumes.resize_volume(call, volume_id=text, size_bytes=0),
        lambda: volumes.get_volume_stats(call, volume_id=text),
        lambda: volumes.get_disk_number_from_volume_id(call, volume_id=text),
        lambda: volumes.write_volume_cache(call, volume_id=text),
        lambda: groups.csi_proxy_service.dismount_volume(call, volume_device=text),
        lambda: groups.csi_proxy_service.resize_volume(call, volume_device=text, new_size=0),
    ):
        with refused(InvalidArgument, 87):
            ask()


def test_a_volume_that_is_not_there_is_1168(node, volumes, call):
    node.make(STAGING)
    for ask in (
        lambda: volumes.is_volume_formatted(call, volume_id=NO_VOLUME),
        lambda: volumes.format_volume(call, volume_id=NO_VOLUME),
        lambda: volumes.mount_volume(call, volume_id=NO_VOLUME, target_path=STAGING),
        lambda: volumes.resize_volume(call, volume_id=NO_VOLUME, size_bytes=0),
        lambda: volumes.get_volume_stats(call, volume_id=NO_VOLUME),
        lambda: volumes.get_disk_number_from_volume_id(call, volume_id=NO_VOLUME),
        lambda: volumes.write_volume_cache(call, volume_id=NO_VOLUME),
    ):
        with refused(NotFound, 1168):
            ask()


# --- listing and asking ------------------------------------------------------------------------------------


def test_volumes_are_listed_by_offset_of_all_partitions_or_of_one(node, volumes, call):
    number = node.attach(128 * MIB)
    node.storage.disks.initialize(node.storage.disks.get(number), PartitionStyle.GPT)
    disk = node.storage.disks.get(number).instance
    for offset in (64 * MIB, 32 * MIB):
        made = node.machine.session.invoke(disk, "CreatePartition", Size=16 * MIB, Offset=offset)
        assert made.return_value == 0
    found = volumes.list_volumes_on_disk(call, disk_number=number, partition_number=0).volume_ids
    assert len(found) == 2
    by_offset = {node.storage.volumes.partition(node.storage.volumes.get(v)).offset: v for v in found}
    assert list(found) == [by_offset[32 * MIB], by_offset[64 * MIB]]
    for partition in node.storage.disks.partitions(number):
        one = volumes.list_volumes_on_disk(
            call, disk_number=number, partition_number=partition.number
        ).volume_ids
        assert one == (() if partition.is_reserved else (by_offset[partition.offset],))


def test_an_unknown_disk_or_partition_has_no_volumes(node, volumes, call):
    number = node.volume().disk
    for disk, partition in ((99, 0), (number, 99), (node.attach(), 0)):
        found = volumes.list_volumes_on_disk(call, disk_number=disk, partition_number=partition)
        assert found.volume_ids == ()


def test_a_volume_knows_its_disk_whether_or_not_it_is_mounted(node, volumes, call):
    staged = node.volume(formatted=False)
    found = volumes.get_disk_number_from_volume_id(call, volume_id=staged.id)
    assert found.disk_number == staged.disk


def test_statistics_are_those_of_the_file_system(node, volumes, call):
    staged = node.volume(256 * MIB)
    empty = volumes.get_volume_stats(call, volume_id=staged.id)
    assert 0 < empty.used_bytes < empty.total_bytes <= 256 * MIB
    staged.put("file", "x" * (3 * MIB))
    full = volumes.get_volume_stats(call, volume_id=staged.id)
    assert full.total_bytes == empty.total_bytes
    assert full.used_bytes >= empty.used_bytes + 3 * MIB


def test_a_raw_volume_is_not_formatted_and_has_no_statistics(node, volumes, call):
    staged = node.volume(formatted=False)
    assert not volumes.is_volume_formatted(call, volume_id=staged.id).formatted
    with refused(FailedPrecondition, 1005):
        volumes.get_volume_stats(call, volume_id=staged.id)


# --- formatting --------------------------------------------------------------------------------------------


def test_a_raw_volume_is_formatted_as_ntfs_and_that_is_noted(node, volumes, call):
    staged = node.volume(formatted=False)
    volumes.format_volume(call, volume_id=staged.id)
    assert volumes.is_volume_formatted(call, volume_id=staged.id).formatted
    assert node.storage.volumes.get(staged.id).file_system == "NTFS"
    assert (events(call), call.notes[0].facts["volume"]) == (["formatting"], staged.id)


def test_a_file_system_is_never_overwritten(node, volumes, call):
    staged = node.volume()
    staged.put("file")
    with refused(FailedPrecondition, 50):
        volumes.format_volume(call, volume_id=staged.id)
    assert os.listdir(staged.files) == ["file"]
    assert call.notes == []


def test_the_operator_may_allow_what_old_releases_did(node, call):
    staged = node.volume()
    staged.put("file")
    node.operations(allow_reformat=True).volume.format_volume(call, volume_id=staged.id)
    assert os.listdir(staged.files) == []


@pytest.mark.parametrize("allow_reformat", [False, True])
def test_a_file_system_of_another_system_is_never_overwritten(node, call, allow_reformat):
    staged = node.volume(formatted=False)
    staged.write(ext4(), 1024)
    with open(node.image_of(staged.disk), "rb") as file:
        before = file.read()
    volumes = node.operations(allow_reformat=allow_reformat).volume
    assert volumes.is_volume_formatted(call, volume_id=staged.id).formatted
    with refused(FailedPrecondition, 1005 if allow_reformat else 50):
        volumes.format_volume(call, volume_id=staged.id)
    with open(node.image_of(staged.disk), "rb") as file:
        assert file.read() == before


def test_the_systems_volumes_are_nobodys_storage(node, call):
    node.make(STAGING)
    volumes = node.operations(allow_reformat=True).volume
    assert len(system_volumes(node)) == 2
    for volume in system_volumes(node):
        for ask in (
            lambda volume=volume: volumes.format_volume(call, volume_id=volume),
            lambda volume=volume: volumes.mount_volume(call, volume_id=volume, target_path=STAGING),
            lambda volume=volume: volumes.resize_volume(call, volume_id=volume, size_bytes=0),
        ):
            with refused(FailedPrecondition, 50):
                ask()
    assert node.names(STAGING) == []


# --- mounting ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [STAGING, STAGING + "\\", STAGING.lower(), STAGING[2:], "c" + STAGING[1:]])
def test_a_volume_is_mounted_at_an_empty_directory_and_again_is_success(node, volumes, call, path):
    staged = node.volume()
    node.make(STAGING)
    for volume in (staged.id, staged.id[:-1], staged.id.upper().replace("VOLUME", "Volume")):
        volumes.mount_volume(call, volume_id=volume, target_path=path)
    staged.put("file")
    assert node.names(STAGING) == ["file"]
    assert volumes.get_volume_id_from_target_path(call, target_path=path).volume_id == staged.id


def test_what_cannot_be_mounted_says_why(node, volumes, call):
    staged = node.volume()
    other = node.volume()
    node.make(STAGING)
    node.make(PLUGINS + r"\full", file="x")
    node.make(PLUGINS + r"\taken")
    volumes.mount_volume(call, volume_id=other.id, target_path=PLUGINS + r"\taken")
    node.plant(PLUGINS + r"\planted", node.on_host(STAGING))
    for path, error, code in (
        (PLUGINS + r"\full", FailedPrecondition, 145),
        (PLUGINS + r"\taken", FailedPrecondition, 145),
        (PLUGINS + r"\full\file", FailedPrecondition, 267),
        (PLUGINS + r"\planted", PermissionDenied, 4395),
        (PLUGINS + r"\planted\x", PermissionDenied, 4395),
        (PLUGINS + r"\none", NotFound, 2),
        (PLUGINS + r"\none\x", NotFound, 3),
        (PLUGINS, PermissionDenied, 5),
        (PODS, PermissionDenied, 5),
        (KUBELET, PermissionDenied, 5),
        (r"C:\Windows", PermissionDenied, 5),
        (r"C:\var\lib\kubelet-evil", PermissionDenied, 5),
        (r"\\server\share", InvalidArgument, 161),
        (PLUGINS + r"\..\x", InvalidArgument, 123),
        ("", InvalidArgument, 161),
    ):
        with refused(error, code):
            volumes.mount_volume(call, volume_id=staged.id, target_path=path)
    raw = node.volume(formatted=False)
    with refused(FailedPrecondition, 1005):
        volumes.mount_volume(call, volume_id=raw.id, target_path=STAGING)
    raw.write(ext4(), 1024)
    with refused(FailedPrecondition, 1005):
        volumes.mount_volume(call, volume_id=raw.id, target_path=STAGING)
    assert node.host.win32.mount_points(staged.id) == []
    assert events(call).count("escape-attempt") == 2


def test_a_path_of_the_volume_group_may_be_longer_than_260(node, volumes, call):
    staged = node.volume()
    path = PLUGINS + "\\" + "\\".join(["d" * 100] * 3)
    node.make(path)
    volumes.mount_volume(call, volume_id=staged.id, target_path=path)
    assert volumes.get_volume_id_from_target_path(call, target_path=path).volume_id == staged.id


# --- unmounting --------------------------------------------------------------------------------------------


def test_a_volume_is_unmounted_and_again_is_success(node, volumes, call):
    staged = node.volume()
    node.make(STAGING)
    volumes.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    staged.put("file")
    for _ in range(2):
        volumes.unmount_volume(call, volume_id=staged.id, target_path=STAGING)
    assert node.names(STAGING) == []
    assert os.listdir(staged.files) == ["file"]
    os.rmdir(node.on_host(STAGING))
    volumes.unmount_volume(call, volume_id=staged.id, target_path=STAGING)


def test_another_volume_at_the_path_stays_mounted(node, volumes, call):
    staged, other = node.volume(), node.volume()
    node.make(STAGING)
    volumes.mount_volume(call, volume_id=other.id, target_path=STAGING)
    with refused(FailedPrecondition, 145):
        volumes.unmount_volume(call, volume_id=staged.id, target_path=STAGING)
    assert node.host.win32.mount_points(other.id) == [STAGING]


def test_the_mount_point_of_a_volume_that_has_vanished_is_removed_and_that_is_noted(node, volumes, call):
    staged = node.volume()
    node.make(STAGING)
    volumes.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    staged.detach()
    for _ in range(2):
        volumes.unmount_volume(call, volume_id=staged.id, target_path=STAGING)
    assert node.names(STAGING) == []
    assert events(call) == ["volume-has-vanished"] * 2


def test_the_mount_point_of_an_offline_disk_is_removed_too(node, groups, call):
    staged = node.volume()
    node.make(STAGING)
    groups.volume.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    node.storage.disks.take_offline(node.storage.disks.get(staged.disk))
    groups.volume.unmount_volume(call, volume_id=staged.id, target_path=STAGING)
    assert node.names(STAGING) == []


class FailingFlush(LossySession):
    """A host that cannot write what it holds of any volume: the device fails."""

    def invoke(self, target, method, /, **parameters):
        result = super().invoke(target, method, **parameters)
        return type(result)(40004, {}) if method == "Flush" else result


def test_a_flush_that_fails_fails_the_call_and_unmounts_nothing(node, volumes, call):
    staged = node.volume()
    node.make(STAGING)
    volumes.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    failing = node.operations(cim=FailingFlush(node.machine.session))
    for ask in (
        lambda: failing.volume.unmount_volume(call, volume_id=staged.id, target_path=STAGING),
        lambda: failing.csi_proxy_service.dismount_volume(call, volume_device=staged.id),
        lambda: failing.volume.write_volume_cache(call, volume_id=staged.id),
    ):
        with pytest.raises(CsiProxyError) as caught:
            ask()
        assert caught.value.windows_code == 1117
    assert node.host.win32.mount_points(staged.id) == [STAGING]


class VanishingVolume(LossySession):
    """A host on which the disk goes right before a volume is flushed."""

    def __init__(self, session, staged) -> None:
        super().__init__(session)
        self._staged = staged

    def invoke(self, target, method, /, **parameters):
        if method == "Flush":
            self._staged.detach()
        return super().invoke(target, method, **parameters)


def test_a_volume_that_vanishes_right_before_its_flush_is_unmounted_as_well(node, volumes, call):
    staged = node.volume()
    node.make(STAGING)
    volumes.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    groups = node.operations(cim=VanishingVolume(node.machine.session, staged))
    groups.volume.unmount_volume(call, volume_id=staged.id, target_path=STAGING)
    assert node.names(STAGING) == []
    assert events(call) == ["volume-has-vanished"]


def test_the_volume_cache_is_written(node, volumes, call):
    staged = node.volume()
    session = LossySession(node.machine.session)
    node.operations(cim=session).volume.write_volume_cache(call, volume_id=staged.id)
    assert session.invoked == ["MSFT_Volume.Flush"]


# --- which volume is behind a path -------------------------------------------------------------------------


@pytest.fixture
def mounted(node, groups, call):
    staged = node.volume()
    node.make(STAGING)
    groups.volume.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    node.make(os.path.dirname(PUBLISHED.replace("\\", "/")).replace("/", "\\"))
    groups.filesystem.create_symlink(call, source_path=STAGING, target_path=PUBLISHED)
    return staged


@pytest.mark.parametrize("path", [STAGING, PUBLISHED, PUBLISHED[2:], PUBLISHED.lower()])
def test_the_volume_of_a_published_path_is_found_through_the_link(volumes, call, mounted, path):
    assert volumes.get_volume_id_from_target_path(call, target_path=path).volume_id == mounted.id
    assert volumes.get_closest_volume_id_from_target_path(call, target_path=path).volume_id == mounted.id


def test_a_plain_directory_is_no_mounted_folder(node, volumes, call, mounted):
    node.make(STAGING + r"\inside")
    for path in (PLUGINS, KUBELET, STAGING + r"\inside", PUBLISHED + r"\inside"):
        with refused(FailedPrecondition, 4390):
            volumes.get_volume_id_from_target_path(call, target_path=path)


def test_links_in_a_circle_lead_to_no_volume(groups, volumes, call):
    one, other = PODS + r"\one", PODS + r"\other"
    files = groups.filesystem
    files.mkdir(call, path=other)
    files.create_symlink(call, source_path=other, target_path=one)
    files.rmdir(call, path=other, force=False)
    files.create_symlink(call, source_path=one, target_path=other)
    for find in (volumes.get_volume_id_from_target_path, volumes.get_closest_volume_id_from_target_path):
        with refused(FailedPrecondition, 1921):
            find(call, target_path=one)


def test_the_closest_volume_is_the_last_one_on_the_way(node, volumes, call, mounted):
    node.make(STAGING + r"\inside", file="x")
    for path in (STAGING + r"\inside", PUBLISHED + r"\inside\file"):
        found = volumes.get_closest_volume_id_from_target_path(call, target_path=path)
        assert found.volume_id == mounted.id
    system = node.storage.volumes.of_drive("C").id
    for path in (KUBELET, PLUGINS, PODS):
        assert volumes.get_closest_volume_id_from_target_path(call, target_path=path).volume_id == system


def test_the_closest_volume_is_the_one_that_the_operator_put_the_prefix_on(node, call):
    staged = node.volume()
    node.make(r"C:\data")
    with node.host.win32.open_root("C:\\") as drive:
        node.host.win32.set_mount_point(drive, "data", staged.id)
    node.plant(r"C:\work", "data")
    volumes = node.operations(working_dirs=(r"C:\work",)).volume
    node.make(r"C:\data\a", file="x")
    for path in (r"C:\work", r"C:\work\a", r"C:\work\a\file"):
        assert volumes.get_closest_volume_id_from_target_path(call, target_path=path).volume_id == staged.id


def test_a_missing_path_and_one_outside_have_no_volume(node, volumes, call, mounted):
    with node.host.win32.open_root(PLUGINS) as plugins:
        node.host.win32.set_link(plugins, "out", r"C:\Windows", replace=False)
        node.host.win32.set_link(plugins, "share", r"\\server\share", replace=False)
    node.plant(PLUGINS + r"\planted", "/")
    for ask in (volumes.get_volume_id_from_target_path, volumes.get_closest_volume_id_from_target_path):
        for path, error, code in (
            (PLUGINS + r"\none", NotFound, 2),
            (r"C:\Windows", PermissionDenied, 5),
            (PLUGINS + r"\out", PermissionDenied, 5),
            (PLUGINS + r"\share", PermissionDenied, 5),
            (PLUGINS + r"\planted", PermissionDenied, 4395),
            ("relative", InvalidArgument, 161),
        ):
            with refused(error, code):
                ask(call, target_path=path)
    assert events(call) == ["escape-attempt"] * 6


# --- growing -----------------------------------------------------------------------------------------------


def partition_size(node: EmulatedNode, volume: str) -> int:
    return node.storage.volumes.partition(node.storage.volumes.get(volume)).size


@pytest.fixture
def grown(node):
    """A volume of a disk that has become larger since."""
    staged = node.volume(64 * MIB)
    node.machine.disks.grow(staged.disk, 256 * MIB)
    return staged


def largest(node: EmulatedNode, staged) -> int:
    disks = node.storage.disks
    [partition] = [p for p in disks.partitions(staged.disk) if not p.is_reserved]
    return disks.largest_size(partition, disks.refresh(disks.get(staged.disk)))


def test_zero_means_as_large_as_fits_without_a_rescan_before(node, volumes, call, grown):
    for _ in range(2):
        volumes.resize_volume(call, volume_id=grown.id, size_bytes=0)
        assert partition_size(node, grown.id) == largest(node, grown) > 200 * MIB
    assert volumes.get_volume_stats(call, volume_id=grown.id).total_bytes > 200 * MIB


@pytest.mark.parametrize(
    ("asked", "got"),
    [
        (100 * MIB, 100 * MIB),
        (100 * MIB + 1, 101 * MIB),
        (101 * MIB - 1, 101 * MIB),
        (99 * MIB + 512, 100 * MIB),
    ],
)
def test_a_size_is_rounded_up_to_a_mebibyte(node, volumes, call, grown, asked, got):
    volumes.resize_volume(call, volume_id=grown.id, size_bytes=asked)
    assert partition_size(node, grown.id) == got


def test_a_size_between_what_fits_and_the_disks_is_what_fits(node, volumes, call, grown):
    fits = largest(node, grown)
    for size in (256 * MIB, fits + 1, fits):
        volumes.resize_volume(call, volume_id=grown.id, size_bytes=size)
        assert partition_size(node, grown.id) == fits


def test_a_size_above_the_disks_is_87_and_changes_nothing(node, volumes, call, grown):
    before = partition_size(node, grown.id)
    for size in (256 * MIB + 1, GIB, (1 << 63) - 1):
        with refused(OutOfRange, 87):
            volumes.resize_volume(call, volume_id=grown.id, size_bytes=size)
    with refused(InvalidArgument, 87):
        volumes.resize_volume(call, volume_id=grown.id, size_bytes=-1)
    assert partition_size(node, grown.id) == before


def test_a_volume_never_shrinks_and_growth_below_a_mebibyte_is_none(node, call):
    staged = node.volume(64 * MIB)
    before = partition_size(node, staged.id)
    node.machine.disks.grow(staged.disk, 256 * MIB)
    session = LossySession(node.machine.session)
    volumes = node.operations(cim=session).volume
    for size in (1, MIB, before - MIB, before - 1, before):
        volumes.resize_volume(call, volume_id=staged.id, size_bytes=size)
    assert "MSFT_Partition.Resize" not in session.invoked
    assert partition_size(node, staged.id) == before
    volumes.resize_volume(call, volume_id=staged.id, size_bytes=before + 1)  # rounds up to one more
    assert partition_size(node, staged.id) == before + MIB


def test_growth_within_a_mebibyte_of_the_largest_is_none(node, call):
    staged = node.volume(64 * MIB)
    before = partition_size(node, staged.id)
    node.machine.disks.grow(staged.disk, 64 * MIB + 512 * 1024)
    volumes = node.operations().volume
    for size in (0, 64 * MIB, 64 * MIB + 512 * 1024):
        volumes.resize_volume(call, volume_id=staged.id, size_bytes=size)
        assert partition_size(node, staged.id) == before


def test_a_partition_behind_bounds_the_growth(node, volumes, call):
    number = node.attach(256 * MIB)
    node.storage.disks.initialize(node.storage.disks.get(number), PartitionStyle.GPT)
    for size in (32 * MIB, 64 * MIB):
        disk = node.storage.disks.get(number).instance
        assert node.machine.session.invoke(disk, "CreatePartition", Size=size).return_value == 0
    first = volumes.list_volumes_on_disk(call, disk_number=number, partition_number=0).volume_ids[0]
    volumes.format_volume(call, volume_id=first)
    for size in (0, 200 * MIB):
        volumes.resize_volume(call, volume_id=first, size_bytes=size)
        assert partition_size(node, first) == 32 * MIB


@pytest.mark.parametrize("lost", range(5))
def test_a_resize_after_a_lost_reply_ends_at_the_same_size(node, grown, lost):
    session = LossySession(node.machine.session, lost)
    volumes = node.operations(cim=session).volume
    try:
        volumes.resize_volume(Context(), volume_id=grown.id, size_bytes=100 * MIB)
    except Unavailable:
        volumes.resize_volume(Context(), volume_id=grown.id, size_bytes=100 * MIB)
    assert partition_size(node, grown.id) == 100 * MIB


def test_a_size_is_judged_by_the_partition_as_it_is_once_the_disk_is_ours(node, grown):
    """Another proxy grows it while this one waits for the disk: the second finds nothing left to do."""
    other = node.operations().volume

    class Overtaken(LossySession):
        def invoke(self, target, method, /, **parameters):
            if method == "Refresh" and not self.invoked:
                super().invoke(target, method, **parameters)
                [volume] = self._session.instances("MSFT_Volume", UniqueId=grown.id)
                [partition] = self._session.associated(volume, "MSFT_PartitionToVolume", "MSFT_Partition")
                self._session.invoke(partition, "Resize", Size=100 * MIB)
            return super().invoke(target, method, **parameters)

    session = Overtaken(node.machine.session)
    node.operations(cim=session).volume.resize_volume(Context(), volume_id=grown.id, size_bytes=100 * MIB)
    assert "MSFT_Partition.Resize" not in session.invoked
    assert partition_size(node, grown.id) == 100 * MIB
    assert other.get_volume_stats(Context(), volume_id=grown.id).total_bytes < 100 * MIB


# --- the whole life ----------------------------------------------------------------------------------------


def test_a_disk_that_comes_back_to_another_node_has_its_files(node, groups, call, tmp_path):
    staged = node.volume()
    node.make(STAGING)
    groups.volume.mount_volume(call, volume_id=staged.id, target_path=STAGING)
    staged.put("file")
    groups.volume.unmount_volume(call, volume_id=staged.id, target_path=STAGING)
    image = node.image_of(staged.disk)
    staged.detach()
    (tmp_path / "second").mkdir()
    second = EmulatedNode(tmp_path / "second", node.volumes)
    try:
        number = second.machine.disks.attach(image)
        disks = second.operations().disk
        disks.partition_disk(call, disk_number=number)
        [volume] = disks.volumes_of(number)
        second.make(STAGING)
        second.operations().volume.mount_volume(call, volume_id=volume.id, target_path=STAGING)
        assert second.names(STAGING) == ["file"]
    finally:
        second.close()
