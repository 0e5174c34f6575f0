"""A disk is lost at any step of a call: the call says so or succeeds, and made again it finishes the job."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.emulated import MIB, NO_VOLUME, PLUGINS, EmulatedNode

from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import CsiProxyError, FailedPrecondition, NotFound, Win32Error
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import FileSystemType, PartitionType

STAGING = PLUGINS + r"\pv\globalmount"
DEVICE = r"\\.\PhysicalDrive1"
DISK = 1


class Ground:
    """A node with disk 1 in some state; whoever lost the disk gives it back."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.node = EmulatedNode(directory)
        self.groups = self.node.operations(sleep=lambda _: None)
        self.image = ""

    def attach(self) -> None:
        assert self.node.attach(64 * MIB, "disk.img") == DISK
        self.image = self.node.image_of(DISK)

    def partitioned(self) -> None:
        self.attach()
        self.groups.disk.partition_disk(Context(), disk_number=DISK)

    def formatted(self) -> None:
        self.partitioned()
        self.groups.volume.format_volume(Context(), volume_id=self.volume)
        Path(self.files, "file").write_text("data")

    def mounted(self) -> None:
        self.formatted()
        self.groups.volume.mount_volume(Context(), volume_id=self.volume, target_path=STAGING)

    def grown(self) -> None:
        self.formatted()
        self.node.machine.disks.grow(DISK, 256 * MIB)

    @property
    def volume(self) -> str:
        found = self.groups.volume.list_volumes_on_disk(Context(), disk_number=DISK, partition_number=0)
        return found.volume_ids[0] if found.volume_ids else NO_VOLUME

    @property
    def files(self) -> str:
        return self.node.machine.disks.volume_directory(self.volume)

    def give_back(self) -> None:
        """What an operator does about a disk that was lost."""
        disks = self.node.machine.disks
        if DISK not in [one.number for one in disks.present()]:
            disks.attach(self.image, number=DISK)
        [disk] = [one for one in disks.present() if one.number == DISK]
        disks.update(disk, replace(disk.record.online(), medium_read_only=False))

    def look(self) -> list[object]:
        """What a call has changed, without names that are made up."""
        partitions = [(p.offset, p.size, p.gpt_type) for p in self.node.storage.disks.partitions(DISK)]
        volumes = [self.node.storage.volumes.find(self.volume)]
        systems = [(one.file_system, one.size) for one in volumes if one]
        mounts = self.node.host.win32.mount_points(self.volume)
        kept: list[str] = []
        with suppress(Win32Error):  # not formatted (yet)
            kept = sorted(path.name for path in Path(self.files).iterdir())
        return [partitions, systems, mounts, kept, self.node.names(STAGING)]


@dataclass(frozen=True)
class Call:
    """One call of a driver, and the state that it begins in.  The volume is known before the disk is lost.

    ``done`` is what it says when it is made again after it was done; None is success.
    """

    prepare: Callable[[Ground], None]
    make: Callable[[Ground, str], object]
    done: int | None = None


CALLS = {
    "PartitionDisk": Call(
        Ground.attach, lambda on, _: on.groups.disk.partition_disk(Context(), disk_number=DISK)
    ),
    "the service's PartitionDisk": Call(
        Ground.attach,
        lambda on, _: on.groups.csi_proxy_service.partition_disk(
            Context(), disk_device=DEVICE, type=PartitionType.MBR
        ),
    ),
    "FormatVolume": Call(
        Ground.partitioned,
        lambda on, volume: on.groups.volume.format_volume(Context(), volume_id=volume),
        done=50,
    ),
    "the service's FormatVolume with its mount": Call(
        Ground.partitioned,
        lambda on, volume: on.groups.csi_proxy_service.format_volume_and_mount(
            Context(), volume_device=volume, type=FileSystemType.NTFS, staging_path=STAGING
        ),
    ),
    "MountVolume": Call(
        Ground.formatted,
        lambda on, volume: on.groups.volume.mount_volume(Context(), volume_id=volume, target_path=STAGING),
    ),
    "ResizeVolume": Call(
        Ground.grown,
        lambda on, volume: on.groups.volume.resize_volume(Context(), volume_id=volume, size_bytes=0),
    ),
    "WriteVolumeCache": Call(
        Ground.mounted, lambda on, volume: on.groups.volume.write_volume_cache(Context(), volume_id=volume)
    ),
    "UnmountVolume": Call(
        Ground.mounted,
        lambda on, volume: on.groups.volume.unmount_volume(Context(), volume_id=volume, target_path=STAGING),
    ),
    "the service's DismountVolume": Call(
        Ground.mounted,
        lambda on, volume: on.groups.csi_proxy_service.dismount_volume(Context(), volume_device=volume),
    ),
}


def ready(directory: Path, call: Call) -> tuple[Ground, str]:
    ground = Ground(directory)
    ground.node.make(STAGING)
    call.prepare(ground)
    return ground, ground.volume


# What a client is told.
CODES = {
    Action.VANISH: {(NotFound, 1168)},
    Action.OFFLINE: {(NotFound, 1168), (FailedPrecondition, 21)},
    Action.READ_ONLY: {(FailedPrecondition, 19)},
}


@pytest.mark.parametrize("action", CODES, ids=lambda action: action.value)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_that_lost_its_disk_at_any_step_is_finished_by_the_next_one(tmp_path, call, action):
    undisturbed, volume = ready(tmp_path / "undisturbed", call)
    call.make(undisturbed, volume)
    wanted = undisturbed.look()
    undisturbed.node.close()

    step, happened = 0, True
    while happened:
        step += 1
        ground, volume = ready(tmp_path / f"step-{step}", call)
        faults = ground.node.machine.faults
        faults.order(Fault("*", action, nth=step, disk=DISK))
        failure = refusal(call, ground, volume)
        happened = not faults.pending()
        faults.clear()
        if failure:
            assert happened
            assert (type(failure), failure.windows_code) in CODES[action], failure
        ground.give_back()
        again = refusal(call, ground, volume)
        assert (again and again.windows_code) in (None, None if failure else call.done), again
        assert ground.look() == wanted, (step, failure)
        ground.node.close()
    assert step > 2


def refusal(call: Call, ground: Ground, volume: str) -> CsiProxyError | None:
    """What a call failed with."""
    try:
        call.make(ground, volume)
    except CsiProxyError as error:
        return error
    return None
