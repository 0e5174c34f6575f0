"""The script's calls to the API groups, in their newest versions."""

from csiproxy.cli.demo import observe
from csiproxy.cli.demo.client import Reply
from csiproxy.cli.demo.dialect import Expected, Speaker, Staged
from csiproxy.cli.demo.player import require
from csiproxy.cli.sizes import show_size

DISK, FILESYSTEM, VOLUME = "disk/v1", "filesystem/v2alpha1", "volume/v2alpha1"


class Groups(Speaker):
    """:class:`~csiproxy.cli.demo.dialect.Dialect` of the groups disk, filesystem and volume."""

    def rescan(self) -> None:
        """Let the node look for disks."""
        self._call(DISK, "Rescan", lambda _: observe.disks(self._node))

    def find(self, expected: Expected) -> int:
        """Find a disk by its serial number, and see that its LUN agrees."""
        key = ""

        def by_serial(reply: Reply) -> str:
            nonlocal key
            ids = reply.table("diskIDs")
            found = [key for key, disk in ids.items() if disk.text("serial_number") == expected.serial]
            require(len(found) == 1, f"{len(found)} disks have the serial number {expected.serial}")
            key = found[0]
            return f"serial number {expected.serial} is disk {key} (of {len(ids)})"

        def by_lun(reply: Reply) -> str:
            at = reply.table("disk_locations").get(key)
            require(at is not None and at.text("LUNID") == str(expected.lun), "the LUN is another one")
            return f"disk {key} is at LUN {expected.lun}, as attached"

        self._call(DISK, "ListDiskIDs", by_serial)
        self._call(DISK, "ListDiskLocations", by_lun)
        return int(key)

    def partition(self, disk: int, *, volumes: int) -> str:
        """Partition a raw disk, leave a partitioned one alone, and list its volumes."""

        def listed(reply: Reply) -> str:
            found = reply.texts("volume_ids")
            require(len(found) == volumes, f"disk {disk} has {len(found)} volumes, not {volumes}")
            return ", ".join(found)

        self._call(DISK, "PartitionDisk", lambda _: observe.partitioned(self._node, disk), disk_number=disk)
        return self._call(VOLUME, "ListVolumesOnDisk", listed, disk_number=disk).texts("volume_ids")[0]

    def format(self, volume: str) -> None:
        """Format a volume that must be raw."""
        self._formatted(volume, expected=False)
        self._call(VOLUME, "FormatVolume", lambda _: observe.formatted(self._node, volume), volume_id=volume)
        self._formatted(volume, expected=True)

    def stage(self, staged: Staged) -> None:
        """Make the staging directory, mount, and see that the volume is found there."""
        self._make_directory(staged.path)
        self._call(
            VOLUME,
            "MountVolume",
            lambda _: observe.mounted(self._node, staged.volume, staged.path),
            volume_id=staged.volume,
            target_path=staged.path,
        )
        self._leads_to(staged.path, staged.volume)

    def restage(self, staged: Staged) -> None:
        """Mount a volume that must have kept its file system."""
        self._formatted(staged.volume, expected=True)
        self.stage(staged)

    def publish(self, staged: Staged, link: str) -> None:
        """Make the pod's directory and the link in it."""
        self._make_directory(link.rpartition("\\")[0])
        self._call(
            FILESYSTEM,
            "CreateSymlink",
            lambda _: observe.linked(self._node, link, staged.path),
            source_path=staged.path,
            target_path=link,
        )
        self._living(link)

    def statistics(self, staged: Staged, at_least: int) -> None:
        """Ask how full the volume is."""

        def plausible(reply: Reply) -> str:
            total, used = reply.number("total_bytes"), reply.number("used_bytes")
            require(at_least <= used <= total, f"{used} of {total} bytes are used, {at_least} were written")
            return f"{show_size(used)} of {show_size(total)} used"

        self._call(VOLUME, "GetVolumeStats", plausible, volume_id=staged.volume)

    def resize(self, staged: Staged, disk_size: int) -> None:
        """See that the disk has grown, and grow the volume to all of it (0 bytes stand for that)."""

        def grown(reply: Reply) -> str:
            total = reply.number("total_bytes")
            require(total == disk_size, f"the disk has {total} bytes, not {disk_size}")
            return f"disk {staged.disk} has {show_size(total)}"

        self._call(DISK, "GetDiskStats", grown, disk_number=staged.disk)
        self._call(
            VOLUME,
            "ResizeVolume",
            lambda _: observe.as_large_as_fits(self._node, staged.disk, staged.volume),
            volume_id=staged.volume,
            size_bytes=0,
        )

    def still_there(self, staged: Staged, link: str) -> None:
        """See that mount and link are there without having been made again."""

        def same_disk(reply: Reply) -> str:
            number = reply.number("disk_number")
            require(number == staged.disk, f"the volume is on disk {number}")
            return f"on disk {number}"

        self._living(link)
        self._leads_to(link, staged.volume)
        self._call(VOLUME, "GetDiskNumberFromVolumeID", same_disk, volume_id=staged.volume)

    def unpublish(self, link: str) -> None:
        """Remove the link; what it leads to stays."""

        def absent(reply: Reply) -> str:
            require(not reply.flag("exists"), "the link is still there")
            return "nothing is there"

        self._remove(link, force=True)
        self._call(FILESYSTEM, "PathExists", absent, path=link)

    def unstage(self, staged: Staged) -> None:
        """Unmount, remove the staging directory, take the disk offline."""

        def offline(reply: Reply) -> str:
            require(not reply.flag("is_online"), "the disk is still online")
            return f"disk {staged.disk} is offline"

        self._call(
            VOLUME,
            "UnmountVolume",
            lambda _: observe.unmounted(self._node, staged.volume),
            volume_id=staged.volume,
            target_path=staged.path,
        )
        self._remove(staged.path, force=False)
        self._call(
            DISK,
            "SetDiskState",
            lambda _: observe.offline(self._node, staged.disk),
            disk_number=staged.disk,
            is_online=False,
        )
        self._call(DISK, "GetDiskState", offline, disk_number=staged.disk)

    # --- pieces

    def _make_directory(self, path: str) -> None:
        self._call(FILESYSTEM, "Mkdir", lambda _: observe.directory(self._node, path), path=path)

    def _remove(self, path: str, *, force: bool) -> None:
        self._call(FILESYSTEM, "Rmdir", lambda _: observe.gone(self._node, path), path=path, force=force)

    def _formatted(self, volume: str, *, expected: bool) -> None:
        def as_expected(reply: Reply) -> str:
            found = "formatted" if reply.flag("formatted") else "raw"
            require(reply.flag("formatted") is expected, f"the volume is {found}")
            return found

        self._call(VOLUME, "IsVolumeFormatted", as_expected, volume_id=volume)

    def _leads_to(self, path: str, volume: str) -> None:
        def same(reply: Reply) -> str:
            found = reply.text("volume_id")
            require(found == volume, f"{found} is mounted there")
            return f"{path} leads to {found}"

        self._call(VOLUME, "GetVolumeIDFromTargetPath", same, target_path=path)

    def _living(self, link: str) -> None:
        def living(reply: Reply) -> str:
            require(reply.flag("is_symlink"), "it is no link whose target is there")
            return f"{link} is a link, and its target is there"

        self._call(FILESYSTEM, "IsSymlink", living, path=link)
