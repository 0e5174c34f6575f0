"""Every RPC that touches the host, in each starting state that makes it take another way.

A scenario is a function that brings a fresh node to its starting state and gives the client's call; its name
is the scenario's.
"""

from collections.abc import Callable
from pathlib import Path

from tests.crash.calls import Request
from tests.emulated import KUBELET, MIB, PLUGINS, PODS, EmulatedNode, Staged
from tests.operations.ground import ext4

from csiproxy.emulator.attachment import OfflineReason
from csiproxy.emulator.machine import SCHEMA
from csiproxy.emulator.state import State
from csiproxy.emulator.volume import StoreKind
from csiproxy.operations.context import Context

STAGING = PLUGINS + r"\pv1\globalmount"
OTHER = PLUGINS + r"\pv2\globalmount"
POD = PODS + r"\uid\volumes"
PUBLISHED = POD + r"\pv1"
OUTSIDE = r"C:\data\mount"
FILESYSTEM, DISK, VOLUME = "filesystem/v2alpha1", "disk/v1", "volume/v2alpha1"
SERVICE, FIRST_SERVICE = "csi-proxy/v1beta1", "csi-proxy/v1alpha1"
PLUGIN, POD_CONTEXT = 0, 1
MBR, GPT = 0, 1
NTFS, FAT = 0, 1

Scenario = Callable[[EmulatedNode], Request]
SCENARIOS: list[Scenario] = []


def scenario(prepare: Scenario) -> Scenario:
    SCENARIOS.append(prepare)
    return prepare


def seeded_node(directory: Path, volumes: StoreKind | None = None) -> EmulatedNode:
    """A fresh node whose identifiers are the same each time, its system disk's too."""
    home = directory / "node"
    home.mkdir(parents=True)
    state = State(str(home / "state.db"), SCHEMA)
    state.seed("crash")
    state.close()
    return EmulatedNode(directory, volumes)


def drive(number: int) -> str:
    return rf"\\.\PhysicalDrive{number}"


def mounted(node: EmulatedNode, *paths: str, **options) -> Staged:
    """A volume with a file on it, mounted at directories."""
    volume = node.volume(**options)
    volume.put("data", "precious")
    for path in paths or (STAGING,):
        mount(node, volume, path)
    return volume


def mount(node: EmulatedNode, volume: Staged, path: str) -> None:
    node.make(path)
    with node.machine.win32.open_root(path.rpartition("\\")[0]) as parent:
        node.machine.win32.set_mount_point(parent, path.rpartition("\\")[2], volume.id)


def linked(node: EmulatedNode, link: str, target: str) -> None:
    node.make(link.rpartition("\\")[0])
    with node.machine.win32.open_root(link.rpartition("\\")[0]) as parent:
        node.machine.win32.set_link(parent, link.rpartition("\\")[2], target, replace=False)


def grow(node: EmulatedNode, volume: Staged, size: int) -> None:
    node.machine.disks.grow(volume.disk, size)


# --- filesystem --------------------------------------------------------------------------------------------


@scenario
def path_exists_dangling_link(node):
    linked(node, PUBLISHED, STAGING)
    return Request(FILESYSTEM, "PathExists", {"path": PUBLISHED})


@scenario
def mkdir_with_parents(node):
    return Request(FILESYSTEM, "Mkdir", {"path": STAGING})


@scenario
def mkdir_of_one_that_exists(node):
    node.make(STAGING)
    return Request(FILESYSTEM, "Mkdir", {"path": STAGING})


@scenario
def rmdir_of_an_empty_directory(node):
    node.make(STAGING)
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING})


@scenario
def rmdir_of_a_link(node):
    mounted(node)
    linked(node, PUBLISHED, STAGING)
    return Request(FILESYSTEM, "Rmdir", {"path": PUBLISHED})


def grove(node: EmulatedNode) -> None:
    """A directory with everything in it that may be in one: files, directories, a link, a mount point."""
    mounted(node, STAGING + r"\mnt")
    node.make(STAGING + r"\sub\deep", file="1")
    node.make(STAGING, vol_data="2")
    linked(node, STAGING + r"\sub\link", OTHER)
    node.plant(STAGING + r"\planted", "/tmp")


@scenario
def rmdir_by_force_of_a_full_directory(node):
    grove(node)
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING, "force": True})


@scenario
def rmdir_by_force_of_a_mount_point(node):
    mounted(node)
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING, "force": True})


@scenario
def rmdir_by_force_of_a_dangling_mount_point(node):
    mounted(node).detach()
    return Request(FILESYSTEM, "Rmdir", {"path": STAGING, "force": True})


@scenario
def rmdir_contents(node):
    grove(node)
    return Request(FILESYSTEM, "RmdirContents", {"path": STAGING})


@scenario
def create_symlink(node):
    mounted(node)
    node.make(POD)
    return Request(FILESYSTEM, "CreateSymlink", {"source_path": STAGING, "target_path": PUBLISHED})


@scenario
def create_symlink_that_is_there(node):
    mounted(node)
    linked(node, PUBLISHED, STAGING)
    return Request(FILESYSTEM, "CreateSymlink", {"source_path": STAGING, "target_path": PUBLISHED})


@scenario
def is_symlink_to_a_mount_point(node):
    mounted(node)
    linked(node, PUBLISHED, STAGING)
    return Request(FILESYSTEM, "IsSymlink", {"path": PUBLISHED})


# --- disk --------------------------------------------------------------------------------------------------


@scenario
def list_disk_locations(node):
    node.attach()
    return Request(DISK, "ListDiskLocations")


@scenario
def list_disk_ids(node):
    node.attach()
    return Request(DISK, "ListDiskIDs")


@scenario
def rescan_with_a_grown_disk(node):
    grow(node, node.volume(), 128 * MIB)
    return Request(DISK, "Rescan")


@scenario
def get_disk_stats(node):
    return Request(DISK, "GetDiskStats", {"disk_number": node.attach()})


@scenario
def partition_a_raw_disk(node):
    return Request(DISK, "PartitionDisk", {"disk_number": node.attach()})


@scenario
def partition_a_small_raw_disk(node):
    return Request(DISK, "PartitionDisk", {"disk_number": node.attach(8 * MIB)})


@scenario
def partition_a_disk_under_san_policy(node):
    return Request(DISK, "PartitionDisk", {"disk_number": node.attach(policy_read_only=True)})


@scenario
def partition_a_disk_under_san_policy_that_is_partitioned(node):
    volume = node.volume()
    image = node.image_of(volume.disk)
    volume.detach()
    number = node.machine.disks.attach(image, policy_read_only=True)
    return Request(DISK, "PartitionDisk", {"disk_number": number})


@scenario
def partition_an_offline_disk(node):
    return Request(DISK, "PartitionDisk", {"disk_number": node.attach(offline=True)})


@scenario
def partition_a_disk_that_is_locked_by_hardware(node):
    return Request(DISK, "PartitionDisk", {"disk_number": node.attach(read_only=True)})


@scenario
def partition_a_disk_that_an_administrator_made_read_only(node):
    number = node.attach()
    _change(node, number, read_only=True)
    return Request(DISK, "PartitionDisk", {"disk_number": number})


def _change(node: EmulatedNode, number: int, *, read_only: bool) -> None:
    [disk] = node.machine.session.instances("MSFT_Disk", Number=number)
    assert node.machine.session.invoke(disk, "SetAttributes", IsReadOnly=read_only).return_value == 0


def initialised(node: EmulatedNode, style: int) -> int:
    number = node.attach()
    [disk] = node.machine.session.instances("MSFT_Disk", Number=number)
    assert node.machine.session.invoke(disk, "Initialize", PartitionStyle=style).return_value == 0
    return number


@scenario
def partition_an_initialised_gpt_disk(node):
    return Request(DISK, "PartitionDisk", {"disk_number": initialised(node, 2)})


@scenario
def partition_an_initialised_mbr_disk(node):
    return Request(DISK, "PartitionDisk", {"disk_number": initialised(node, 1)})


@scenario
def partition_a_partitioned_disk(node):
    return Request(DISK, "PartitionDisk", {"disk_number": node.volume().disk})


@scenario
def partition_a_disk_whose_partition_is_offline(node):
    volume = node.volume()
    [*_, partition] = node.machine.session.instances("MSFT_Partition", DiskNumber=volume.disk)
    assert node.machine.session.invoke(partition, "Offline").return_value == 0
    return Request(DISK, "PartitionDisk", {"disk_number": volume.disk})


@scenario
def partition_a_copy_of_another_disk(node):
    volume = node.volume(8 * MIB)
    copy = str(node.directory / "copy.img")
    with open(node.image_of(volume.disk), "rb") as source, open(copy, "wb") as target:
        target.write(source.read())
    number = node.machine.disks.attach(copy)
    [disk] = node.machine.session.instances("MSFT_Disk", Number=number)
    assert disk.number("OfflineReason") == OfflineReason.COLLISION
    return Request(DISK, "PartitionDisk", {"disk_number": number})


@scenario
def partition_a_disk_that_holds_a_foreign_file_system(node):
    number = node.attach()
    with open(node.image_of(number), "r+b") as file:
        file.seek(1024)
        file.write(ext4())
    node.operations().disk.rescan(Context())
    return Request(DISK, "PartitionDisk", {"disk_number": number})


@scenario
def set_disk_state_online_under_san_policy(node):
    number = node.attach(policy_read_only=True)
    return Request(DISK, "SetDiskState", {"disk_number": number, "is_online": True})


@scenario
def set_disk_state_offline(node):
    volume = node.volume()
    volume.put("data", "precious")
    return Request(DISK, "SetDiskState", {"disk_number": volume.disk, "is_online": False})


@scenario
def get_disk_state(node):
    return Request(DISK, "GetDiskState", {"disk_number": node.attach(offline=True)})


# --- volume ------------------------------------------------------------------------------------------------


@scenario
def list_volumes_on_disk(node):
    return Request(VOLUME, "ListVolumesOnDisk", {"disk_number": node.volume().disk})


@scenario
def is_volume_formatted(node):
    return Request(VOLUME, "IsVolumeFormatted", {"volume_id": node.volume(formatted=False).id})


@scenario
def format_a_raw_volume(node):
    return Request(VOLUME, "FormatVolume", {"volume_id": node.volume(formatted=False).id})


@scenario
def format_a_formatted_volume(node):
    volume = node.volume()
    volume.put("data", "precious")
    return Request(VOLUME, "FormatVolume", {"volume_id": volume.id})


@scenario
def mount_at_an_empty_directory(node):
    node.make(STAGING)
    return Request(VOLUME, "MountVolume", {"volume_id": node.volume().id, "target_path": STAGING})


@scenario
def mount_what_is_mounted(node):
    return Request(VOLUME, "MountVolume", {"volume_id": mounted(node).id, "target_path": STAGING})


@scenario
def mount_at_a_second_directory(node):
    node.make(OTHER)
    return Request(VOLUME, "MountVolume", {"volume_id": mounted(node).id, "target_path": OTHER})


@scenario
def mount_where_another_volume_is_mounted(node):
    mounted(node)
    return Request(VOLUME, "MountVolume", {"volume_id": node.volume().id, "target_path": STAGING})


@scenario
def unmount(node):
    return Request(VOLUME, "UnmountVolume", {"volume_id": mounted(node).id, "target_path": STAGING})


@scenario
def unmount_one_of_two(node):
    volume = mounted(node, STAGING, OTHER)
    return Request(VOLUME, "UnmountVolume", {"volume_id": volume.id, "target_path": OTHER})


@scenario
def unmount_a_vanished_volume(node):
    volume = mounted(node)
    volume.detach()
    return Request(VOLUME, "UnmountVolume", {"volume_id": volume.id, "target_path": STAGING})


@scenario
def resize_to_all_of_a_grown_disk(node):
    volume = mounted(node)
    grow(node, volume, 160 * MIB)
    return Request(VOLUME, "ResizeVolume", {"volume_id": volume.id})


@scenario
def resize_to_a_size_on_a_grown_disk(node):
    volume = mounted(node)
    grow(node, volume, 160 * MIB)
    return Request(VOLUME, "ResizeVolume", {"volume_id": volume.id, "size_bytes": 100 * MIB + 1})


@scenario
def resize_beyond_the_disk(node):
    return Request(VOLUME, "ResizeVolume", {"volume_id": mounted(node).id, "size_bytes": 65 * MIB})


@scenario
def resize_what_is_as_large_as_can_be(node):
    return Request(VOLUME, "ResizeVolume", {"volume_id": mounted(node).id})


@scenario
def get_volume_stats(node):
    return Request(VOLUME, "GetVolumeStats", {"volume_id": mounted(node).id})


@scenario
def get_disk_number_from_volume_id(node):
    return Request(VOLUME, "GetDiskNumberFromVolumeID", {"volume_id": mounted(node).id})


@scenario
def get_volume_id_from_target_path(node):
    mounted(node)
    linked(node, PUBLISHED, STAGING)
    return Request(VOLUME, "GetVolumeIDFromTargetPath", {"target_path": PUBLISHED})


@scenario
def get_closest_volume_id_from_target_path(node):
    mounted(node)
    return Request(VOLUME, "GetClosestVolumeIDFromTargetPath", {"target_path": STAGING + r"\data"})


@scenario
def write_volume_cache(node):
    return Request(VOLUME, "WriteVolumeCache", {"volume_id": mounted(node).id})


# --- CSIProxyService ---------------------------------------------------------------------------------------


@scenario
def service_path_exists(node):
    node.make(STAGING)
    return Request(SERVICE, "PathExists", {"path": STAGING})


@scenario
def service_mkdir(node):
    return Request(SERVICE, "Mkdir", {"path": PLUGINS + r"\pv1", "context": PLUGIN})


@scenario
def service_rmdir(node):
    node.make(POD)
    return Request(SERVICE, "Rmdir", {"path": POD, "context": POD_CONTEXT})


@scenario
def service_rescan(node):
    grow(node, node.volume(), 128 * MIB)
    return Request(SERVICE, "Rescan")


@scenario
def service_partitions_as_gpt(node):
    return Request(SERVICE, "PartitionDisk", {"disk_device": drive(node.attach()), "type": GPT})


@scenario
def service_partitions_as_mbr_under_san_policy(node):
    number = node.attach(policy_read_only=True)
    return Request(SERVICE, "PartitionDisk", {"disk_device": drive(number), "type": MBR})


@scenario
def service_formats_a_raw_volume(node):
    volume = node.volume(formatted=False)
    return Request(SERVICE, "FormatVolume", {"volume_device": volume.id, "type": FAT})


@scenario
def service_formats_what_has_that_file_system(node):
    return Request(SERVICE, "FormatVolume", {"volume_device": mounted(node).id, "type": NTFS})


@scenario
def service_formats_what_has_another_file_system(node):
    return Request(SERVICE, "FormatVolume", {"volume_device": mounted(node).id, "type": FAT})


@scenario
def service_mounts(node):
    node.make(STAGING)
    return Request(SERVICE, "MountVolume", {"volume_device": node.volume().id, "target_path": STAGING})


@scenario
def service_links(node):
    mounted(node)
    node.make(POD)
    return Request(SERVICE, "LinkPath", {"source_path": PUBLISHED, "target_path": STAGING})


@scenario
def service_links_in_place_of_an_empty_directory(node):
    mounted(node)
    node.make(PUBLISHED)
    return Request(SERVICE, "LinkPath", {"source_path": PUBLISHED, "target_path": STAGING})


@scenario
def service_links_where_a_full_directory_is(node):
    mounted(node)
    node.make(PUBLISHED, file="1")
    return Request(SERVICE, "LinkPath", {"source_path": PUBLISHED, "target_path": STAGING})


@scenario
def service_unlinks(node):
    mounted(node)
    linked(node, PUBLISHED, STAGING)
    return Request(SERVICE, "UnlinkPath", {"path": PUBLISHED})


@scenario
def service_lists_disk_locations(node):
    node.attach()
    return Request(SERVICE, "ListDiskLocations")


@scenario
def service_lists_disk_ids(node):
    node.attach()
    return Request(SERVICE, "ListDiskIDs")


@scenario
def service_lists_disk_volume_mappings(node):
    node.volume()
    return Request(SERVICE, "ListDiskVolumeMappings")


@scenario
def service_resizes_on_a_grown_disk(node):
    volume = mounted(node)
    grow(node, volume, 160 * MIB)
    return Request(SERVICE, "ResizeVolume", {"volume_device": volume.id, "new_size": 160 * MIB})


@scenario
def service_dismounts_everywhere_but_outside(node):
    volume = mounted(node, STAGING, OTHER, POD + r"\pv3", OUTSIDE, KUBELET + r"\elsewhere")
    return Request(SERVICE, "DismountVolume", {"volume_device": volume.id})


@scenario
def service_dismounts_a_vanished_volume(node):
    volume = mounted(node, STAGING, OTHER, OUTSIDE)
    volume.detach()
    return Request(SERVICE, "DismountVolume", {"volume_device": volume.id})


# --- what only the first version of it has -----------------------------------------------------------------


@scenario
def first_service_rmdir_of_its_link(node):
    mounted(node)
    linked(node, PUBLISHED, STAGING)
    return Request(FIRST_SERVICE, "Rmdir", {"path": PUBLISHED, "context": POD_CONTEXT})


@scenario
def first_service_rmdir_of_a_shares_link(node):
    linked(node, PLUGINS + r"\share", r"\\server\share")
    return Request(FIRST_SERVICE, "Rmdir", {"path": PLUGINS + r"\share", "context": PLUGIN})


@scenario
def first_service_rmdir_of_a_mount_point(node):
    mounted(node)
    return Request(FIRST_SERVICE, "Rmdir", {"path": STAGING, "context": PLUGIN})


def _format_and_mount(volume: Staged) -> Request:
    fields = {"volume_device": volume.id, "type": NTFS, "staging_path": STAGING}
    return Request(FIRST_SERVICE, "FormatVolume", fields)


@scenario
def first_service_formats_and_mounts(node):
    node.make(STAGING)
    return _format_and_mount(node.volume(formatted=False))


@scenario
def first_service_mounts_what_is_formatted(node):
    node.make(STAGING)
    return _format_and_mount(node.volume())


@scenario
def first_service_formats_and_mounts_what_is_mounted(node):
    return _format_and_mount(mounted(node))


@scenario
def first_service_formats_but_cannot_mount(node):
    node.make(STAGING, file="1")
    return _format_and_mount(node.volume(formatted=False))


@scenario
def first_service_lists_disk_volume_mappings(node):
    node.volume()
    return Request(FIRST_SERVICE, "ListDiskVolumeMappings")


def reformatting(node: EmulatedNode) -> Request:
    """FormatVolume of a full volume on a node whose operator allows that."""
    volume = node.volume()
    volume.put("data", "precious")
    return Request(VOLUME, "FormatVolume", {"volume_id": volume.id})
