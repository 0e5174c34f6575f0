"""Every guard rail of disks and volumes: what it stops, what it says, and that lifting it opens the way."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.emulated import KUBELET, PLUGINS, PODS, EmulatedNode, Staged
from tests.operations.refusals import refused

from csiproxy.emulator.attachment import BusType
from csiproxy.errors import CsiProxyError, FailedPrecondition
from csiproxy.operations import Operations, rail
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import FileSystemType, PartitionType, disk_device
from csiproxy.operations.rail import Act, Rail
from csiproxy.storage.disk import CLUSTER_METADATA, MICROSOFT_RECOVERY, STORAGE_SPACES

STAGING = PLUGINS + r"\pv1\globalmount"
PUBLISHED = PODS + r"\uid\volumes\kubernetes.io~csi\pv1\mount"
OUTSIDE = r"C:\data"
_SECOND_MBR_TYPE = 446 + 16 + 4


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


@dataclass(frozen=True)
class Ground:
    """A node, and a volume that something is done to."""

    node: EmulatedNode
    staged: Staged
    groups: Operations
    call: Context


# --- what is done -------------------------------------------------------------------------------------------


def _unmount(ground: Ground) -> None:
    ground.groups.volume.unmount_volume(ground.call, volume_id=ground.staged.id, target_path=STAGING)


ACTS: dict[Act, Callable[[Ground], object]] = {
    Act.PARTITION: lambda g: g.groups.disk.partition_disk(g.call, disk_number=g.staged.disk),
    Act.READ_ONLY: lambda g: g.groups.disk.keep_read_only(g.call, g.staged.disk, True),
    Act.FORMAT: lambda g: g.groups.csi_proxy_service.format_volume(
        g.call, volume_device=g.staged.id, type=FileSystemType.NTFS
    ),
    Act.REFORMAT: lambda g: g.groups.volume.format_volume(g.call, volume_id=g.staged.id),
    Act.RESIZE: lambda g: g.groups.volume.resize_volume(g.call, volume_id=g.staged.id, size_bytes=0),
    Act.MOUNT: lambda g: g.groups.volume.mount_volume(
        g.call, volume_id=g.staged.id, target_path=g.node.make(PLUGINS + r"\other")
    ),
    Act.DISMOUNT: _unmount,
    Act.OFFLINE: lambda g: g.groups.disk.set_disk_state(g.call, disk_number=g.staged.disk, is_online=False),
}


# --- what makes a rail stand there --------------------------------------------------------------------------


def _mounted(node: EmulatedNode, staged: Staged, path: str) -> None:
    node.make(path)
    with node.host.win32.open_root(path.rpartition("\\")[0]) as parent:
        node.host.win32.set_mount_point(parent, path.rpartition("\\")[2], staged.id)


def _partition(kind: str) -> Callable[[EmulatedNode], Staged]:
    """A volume whose disk has a partition of another kind besides."""

    def made(node: EmulatedNode) -> Staged:
        staged = node.volume()
        [partition] = [p for p in node.storage.disks.partitions(staged.disk) if p.is_data]
        invoke = node.host.cim.invoke
        assert invoke(partition.instance, "Resize", Size=16 << 20).return_value == 0
        [disk] = node.host.cim.instances("MSFT_Disk", Number=staged.disk)
        assert invoke(disk, "CreatePartition", Size=8 << 20, GptType=kind).return_value == 0
        return staged

    return made


def _recovery_of_mbr(node: EmulatedNode) -> Staged:
    number = node.attach()
    groups = node.operations()
    groups.csi_proxy_service.partition_disk(
        Context(), disk_device=disk_device(number), type=PartitionType.MBR
    )
    [volume] = groups.volume.list_volumes_on_disk(
        Context(), disk_number=number, partition_number=0
    ).volume_ids
    groups.volume.format_volume(Context(), volume_id=volume)
    [partition] = node.storage.disks.partitions(number)
    assert node.host.cim.invoke(partition.instance, "Resize", Size=16 << 20).return_value == 0
    [disk] = node.host.cim.instances("MSFT_Disk", Number=number)
    assert node.host.cim.invoke(disk, "CreatePartition", Size=8 << 20, MbrType=7).return_value == 0
    with open(node.image_of(number), "r+b") as image:  # as Windows Setup writes it
        image.seek(_SECOND_MBR_TYPE)
        image.write(b"\x27")
    groups.disk.rescan(Context())
    return Staged(node, number, volume)


def _page_file(node: EmulatedNode) -> Staged:
    staged = node.volume()
    node.machine.letters.give("D", staged.id)
    node.machine.memory_files.put_page_files([r"C:\pagefile.sys", r"d:\pagefile.sys"])
    return staged


def _page_file_below_a_mount_point(node: EmulatedNode) -> Staged:
    staged = node.volume()
    _mounted(node, staged, OUTSIDE + r"\swap")
    node.machine.memory_files.put_page_files([OUTSIDE + r"\swap\pagefile.sys"])
    return staged


def _dump(node: EmulatedNode) -> Staged:
    staged = node.volume()
    node.machine.letters.give("E", staged.id)
    node.machine.memory_files.put_dump(r"E:\dumps\MEMORY.DMP")
    return staged


STANDS: dict[str, tuple[Rail, Callable[[EmulatedNode], Staged]]] = {
    "clustered": (rail.CLUSTERED_DISK, lambda node: node.volume(clustered=True)),
    "cluster's notes": (rail.CLUSTERED_DISK, _partition(CLUSTER_METADATA)),
    "made of Storage Spaces": (rail.STORAGE_SPACES_DISK, lambda node: node.volume(bus=BusType.SPACES)),
    "part of a pool": (rail.STORAGE_SPACES_DISK, _partition(STORAGE_SPACES)),
    "recovery partition": (rail.RECOVERY_DISK, _partition(MICROSOFT_RECOVERY)),
    "recovery partition of an MBR": (rail.RECOVERY_DISK, _recovery_of_mbr),
    "page file": (rail.PAGE_FILE_DISK, _page_file),
    "page file below a mount point": (rail.PAGE_FILE_DISK, _page_file_below_a_mount_point),
    "crash dump": (rail.CRASH_DUMP_DISK, _dump),
}
MAKING = tuple(row.name for row, _ in STANDS.values())


def ground_of(node: EmulatedNode, made: Callable[[EmulatedNode], Staged]) -> Ground:
    """A node with such a volume, made and mounted while no rail stood in the way."""
    node.lifted = rail.LIFTABLE
    staged = made(node)
    node.lifted = ()
    _mounted(node, staged, STAGING)
    return Ground(node, staged, node.operations(allow_reformat=True), Context())


def stopped(ground: Ground, row: Rail, act: Act) -> CsiProxyError:
    before = picture(ground)
    with pytest.raises(FailedPrecondition) as caught:
        ACTS[act](ground)
    assert caught.value.rail == row.name
    assert picture(ground) == before
    return caught.value


def picture(ground: Ground) -> object:
    """Everything of the disk that an act would change."""
    disk = ground.node.storage.disks.get(ground.staged.disk)
    partitions = ground.node.storage.disks.partitions(ground.staged.disk)
    files = ground.node.storage.volumes.find(ground.staged.id)
    return (
        (disk.is_offline, disk.is_read_only, disk.style),
        [(p.offset, p.size, p.access_paths) for p in partitions],
        files and (files.file_system, files.size),
    )


@pytest.mark.parametrize("act", [act for act in ACTS if act is not Act.REFORMAT], ids=lambda act: act.name)
@pytest.mark.parametrize("what", STANDS)
def test_a_disk_of_that_kind_is_never_changed(node, what, act):
    row, made = STANDS[what]
    ground = ground_of(node, made)
    ground.staged.put("kept")
    error = stopped(ground, row, act)
    assert f"disk {ground.staged.disk}" in str(error)
    assert act.value in str(error)
    assert row.advice in str(error)
    assert error.windows_code == 50


@pytest.mark.parametrize("what", STANDS)
def test_a_lifted_rail_stands_no_more(node, what):
    row, made = STANDS[what]
    ground = ground_of(node, made)
    node.lifted = (row.name, rail.MOUNTED_ELSEWHERE.name)
    groups = node.operations()
    groups.disk.partition_disk(ground.call, disk_number=ground.staged.disk)
    groups.volume.unmount_volume(ground.call, volume_id=ground.staged.id, target_path=STAGING)
    groups.disk.set_disk_state(ground.call, disk_number=ground.staged.disk, is_online=False)


def test_the_system_disk_stays_whatever_is_lifted(node):
    node.lifted = tuple(row.name for row in rail.RAILS)
    node.operations()  # a name that cannot be lifted is refused at the flags, and does nothing here
    groups = node.operations()
    with refused(FailedPrecondition, 50):
        groups.disk.set_disk_state(Context(), disk_number=0, is_online=False)
    with refused(FailedPrecondition, 50):
        groups.disk.partition_disk(Context(), disk_number=0)


def test_an_offline_disk_with_a_recovery_partition_is_not_even_brought_online_for_partitioning(node):
    ground = ground_of(node, _partition(MICROSOFT_RECOVERY))
    node.storage.disks.take_offline(node.storage.disks.get(ground.staged.disk))
    stopped(ground, rail.RECOVERY_DISK, Act.PARTITION)


def test_a_page_file_on_another_disk_is_no_obstacle(node):
    ground = ground_of(node, EmulatedNode.volume)
    node.machine.letters.give("D", node.volume().id)
    node.machine.memory_files.put_page_files([r"D:\pagefile.sys"])
    _unmount(ground)
    ACTS[Act.OFFLINE](ground)


# --- volumes that somebody else has mounted -----------------------------------------------------------------


@pytest.mark.parametrize("act", [Act.RESIZE, Act.REFORMAT, Act.OFFLINE], ids=lambda act: act.name)
@pytest.mark.parametrize("where", ["D", OUTSIDE])
def test_a_volume_that_is_mounted_outside_stays_as_it_is(node, where, act):
    staged = node.volume()
    if where == "D":
        node.machine.letters.give("D", staged.id)
    else:
        _mounted(node, staged, where)
    ground = Ground(node, staged, node.operations(allow_reformat=True), Context())
    error = stopped(ground, rail.MOUNTED_ELSEWHERE, act)
    assert error.windows_code == 2404
    assert f"is mounted at {where}" in str(error)


def test_dismounting_leaves_a_mount_point_outside_alone(node):
    staged = node.volume()
    _mounted(node, staged, OUTSIDE)
    _mounted(node, staged, STAGING)
    node.operations().csi_proxy_service.dismount_volume(Context(), volume_device=staged.id)
    assert node.host.win32.mount_points(staged.id) == [OUTSIDE]


def test_a_letter_that_windows_gave_a_clients_volume_is_no_obstacle_until_its_disk_is_offline(node):
    """What Windows does to disks with an MBR, and how drivers unstage."""
    staged = node.volume()
    node.machine.letters.give("D", staged.id)
    ground = Ground(node, staged, node.operations(), Context())
    node.make(STAGING)
    ground.groups.volume.mount_volume(ground.call, volume_id=staged.id, target_path=STAGING)
    ACTS[Act.RESIZE](ground)
    _unmount(ground)
    assert node.host.win32.marks("cluster volume") != []
    later = Ground(node, staged, node.operations(), Context())  # another proxy, after a restart
    ACTS[Act.OFFLINE](later)
    assert node.host.win32.marks("cluster volume") == []
    later.groups.disk.set_disk_state(later.call, disk_number=staged.disk, is_online=True)
    stopped(later, rail.MOUNTED_ELSEWHERE, Act.OFFLINE)


def test_an_unlettered_volume_leaves_no_mark(node):
    ground = ground_of(node, EmulatedNode.volume)
    _unmount(ground)
    assert node.host.win32.marks("cluster volume") == []


def test_a_raw_volume_with_a_letter_is_formatted(node):
    staged = node.volume(formatted=False)
    node.machine.letters.give("D", staged.id)
    node.operations().volume.format_volume(Context(), volume_id=staged.id)


# --- volumes in use -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [Act.REFORMAT, Act.OFFLINE], ids=lambda act: act.name)
def test_a_mounted_volume_is_not_taken_away(node, act):
    ground = ground_of(node, EmulatedNode.volume)
    error = stopped(ground, rail.VOLUME_IN_USE, act)
    assert STAGING in str(error)
    _unmount(ground)
    ACTS[act](ground)


def _published(node: EmulatedNode) -> Ground:
    ground = ground_of(node, EmulatedNode.volume)
    node.make(PUBLISHED.rpartition("\\")[0])
    ground.groups.filesystem.create_symlink(ground.call, source_path=STAGING, target_path=PUBLISHED)
    return ground


DISMOUNTS: dict[str, Callable[[Ground], object]] = {
    "UnmountVolume": _unmount,
    "DismountVolume": lambda g: g.groups.csi_proxy_service.dismount_volume(g.call, volume_device=g.staged.id),
    "Rmdir": lambda g: g.groups.filesystem.rmdir(g.call, path=STAGING, force=True),
    "Rmdir above": lambda g: g.groups.filesystem.rmdir(g.call, path=PLUGINS + r"\pv1", force=True),
    "RmdirContents above": lambda g: g.groups.filesystem.rmdir_contents(g.call, path=PLUGINS + r"\pv1"),
}


@pytest.mark.parametrize("how", DISMOUNTS)
def test_what_a_pod_uses_is_not_dismounted_by_another_path(node, how):
    ground = _published(node)
    with pytest.raises(FailedPrecondition) as caught:
        DISMOUNTS[how](ground)
    assert (caught.value.rail, caught.value.windows_code) == ("pod-volume", 2404)
    assert PUBLISHED in str(caught.value)
    assert node.host.win32.mount_points(ground.staged.id) == [STAGING]
    ground.groups.filesystem.rmdir(ground.call, path=PUBLISHED, force=True)
    DISMOUNTS[how](ground)
    assert node.host.win32.mount_points(ground.staged.id) == []


def test_a_link_into_the_volume_counts_and_one_beside_it_does_not(node):
    ground = _published(node)
    node.make(STAGING + "x")
    ground.groups.filesystem.rmdir(ground.call, path=PUBLISHED, force=True)
    ground.groups.filesystem.create_symlink(ground.call, source_path=STAGING + "x", target_path=PUBLISHED)
    _unmount(ground)


def test_a_whole_kubelet_directory_of_a_pod_goes_with_the_links_in_it(node):
    staged = node.volume()
    pod = PODS + r"\uid"
    _mounted(node, staged, pod + r"\mounted")
    groups = node.operations()
    groups.filesystem.create_symlink(Context(), source_path=pod + r"\mounted", target_path=pod + r"\link")
    groups.filesystem.rmdir(Context(), path=pod, force=True)
    assert node.host.win32.mount_points(staged.id) == []


def test_a_volume_that_has_vanished_is_dismounted_all_the_same(node):
    ground = _published(node)
    ground.staged.detach()
    _unmount(ground)
    assert node.host.win32.mount_points(ground.staged.id) == []


def test_unmounting_again_is_success_though_a_link_is_left(node):
    ground = _published(node)
    node.lifted = (rail.POD_VOLUME.name,)
    node.operations().volume.unmount_volume(ground.call, volume_id=ground.staged.id, target_path=STAGING)
    _unmount(ground)


def test_prefixes_are_all_places_where_clients_may_work(node):
    staged = node.volume()
    _mounted(node, staged, r"C:\work\a")
    groups = node.operations(working_dirs=(r"C:\work",))
    groups.volume.resize_volume(Context(), volume_id=staged.id, size_bytes=0)
    assert KUBELET not in node.host.win32.mount_points(staged.id)
