"""Self-tests of volumes and their mount points."""

from csiproxy.doctor.ground import DRIVE, Ground, expect
from csiproxy.doctor.outcome import Differs
from csiproxy.host.names import same_name
from csiproxy.host.win32 import EntryKind

_STAGE = "stage"


def drive_letter(ground: Ground) -> str:
    """Asks for the volume of drive C: by the letter's number."""
    volume = ground.storage.volumes.of_drive(DRIVE[0])
    return volume.id


def mount_point(ground: Ground) -> str:
    """Mounts a volume while its directories are held, looks through it, and unmounts it."""
    win32 = ground.host.win32
    with ground.volume() as own, ground.scratch() as scratch:
        volume, place = own.volume.id, rf"{scratch.path}\{_STAGE}"
        win32.create_directory(scratch.directory, _STAGE)
        win32.set_mount_point(scratch.directory, _STAGE, volume)
        entry = win32.entry(scratch.directory, _STAGE)
        expect(entry.kind, EntryKind.MOUNT_POINT, "it became")
        if not same_name(entry.target, volume):
            raise Differs(f"the mount point leads to {entry.target}, not {volume}")
        expect(win32.mount_points(volume), [place], "Windows names as its mount points")
        with win32.open_mounted(scratch.directory, _STAGE) as root:
            where = win32.final_path(root)
            if not same_name(where + "\\", volume):
                raise Differs(f"the root of the volume says that it is {where}")
        win32.delete_mount_point(scratch.directory, _STAGE, volume)
        expect(win32.entry(scratch.directory, _STAGE).kind, EntryKind.DIRECTORY, "what stays is")
        expect(win32.mount_points(volume), [], "afterwards Windows names as its mount points")
        return f"{place} led to {volume}"


def mount_point_of_a_vanished_volume(ground: Ground) -> str:
    """Takes a disk away whose volume is mounted, and removes the mount point that is left."""
    win32 = ground.host.win32
    with ground.volume() as own, ground.scratch() as scratch:
        volume, place = own.volume.id, rf"{scratch.path}\{_STAGE}"
        win32.create_directory(scratch.directory, _STAGE)
        win32.set_mount_point(scratch.directory, _STAGE, volume)
        own.disk.detach()
        expect(win32.entry(scratch.directory, _STAGE).kind, EntryKind.MOUNT_POINT, "it became")
        expect(win32.mount_points(volume), [place], "its mount points are")
        win32.delete_mount_point(scratch.directory, _STAGE, volume)
        expect(win32.entry(scratch.directory, _STAGE).kind, EntryKind.DIRECTORY, "what stays is")
        return "it stayed, was found and was removed"
