"""The units of targets that are logged in, as disks of the node."""

from collections.abc import Callable, Sequence

from csiproxy.emulator.attachment import Attachment, BusType, Place
from csiproxy.emulator.disk import Disk, Disks
from csiproxy.emulator.image import Medium
from csiproxy.emulator.iscsi_link import Link
from csiproxy.emulator.iscsi_records import Records
from csiproxy.emulator.lun import Lun, Unit, unit_name
from csiproxy.emulator.lun_image import LunImage
from csiproxy.emulator.placement import text
from csiproxy.errors import Win32Error, WindowsCode

_LONGEST_SERIAL = 64


class Units:
    """``link`` gives a target's connection as it is now; ``mount_points`` where a volume is mounted.

    ``files``: a directory in which each unit is shown as a file, which is then what its disk is read and
    written through; without it nothing but this process reads and writes.
    """

    def __init__(
        self,
        disks: Disks,
        records: Records,
        link: Callable[[str], Link],
        mount_points: Callable[[str], list[str]],
        files: str | None,
    ) -> None:
        self._files = files
        self._disks = disks
        self._records = records
        self._link = link
        self._mount_points = mount_points

    def disks(self, target: str) -> list[Disk]:
        """The disks that are units of a target, also while it is not logged in."""
        return [disk for disk in self._disks.units() if disk.record.target == target]

    def targets(self) -> set[str]:
        """The targets that the node has disks of."""
        return {disk.record.target for disk in self._disks.units()}

    def surface(self, target: str, found: Sequence[Unit], *, withdraw: bool) -> None:
        """Make what a target offers disks, and look at those that it had already.

        ``withdraw``: take away those that it does not offer any more.  A target that has just been started
        may still be on its way to them.
        """
        offered = {unit_name(target, unit.lun): unit for unit in found}
        for disk in self.disks(target):
            if disk.record.image not in offered:
                if withdraw:
                    self._withdraw(disk)
            elif disk.image:
                del offered[disk.record.image]
                with self._disks.lock:
                    disk.refresh()
        for name, unit in offered.items():
            self._disks.attach_unit(self._described(name, unit), self._medium(target, name, unit))

    def withdraw(self, target: str) -> None:
        """Take all disks of a target away."""
        for disk in self.disks(target):
            self._withdraw(disk)

    def mounted(self, target: str) -> str:
        """Where a volume on a target is mounted; empty when none is."""
        with self._disks.lock:
            volumes = [
                self._disks.volume_of(disk, partition).name
                for disk in self.disks(target)
                if disk.image
                for partition in disk.layout.partitions
                if partition.has_volume
            ]
        return next((place for volume in volumes for place in self._mount_points(volume)), "")

    def _medium(self, target: str, name: str, unit: Unit) -> Medium:
        lun = Lun(name, unit, lambda: self._link(target))
        if self._files is None:
            return lun
        return LunImage(self._files, lun, read_only=unit.write_protected)

    def _described(self, name: str, unit: Unit) -> Attachment:
        """A unit as a disk: as Windows had it before, else as its policy has new shared disks."""
        seen = self._records.unit(name)
        return Attachment(
            seen.number,
            name,
            text(unit.vendor),
            text(unit.product),
            text(unit.serial[:_LONGEST_SERIAL]),
            unit.identifiers,
            BusType.ISCSI,
            Place(0, 0, 0, unit.lun),
            medium_read_only=unit.write_protected,
            read_only=seen.read_only,
            offline=seen.offline,
            offline_reason=seen.offline_reason,
        )

    def _withdraw(self, disk: Disk) -> None:
        """Take a disk away, and remember how Windows had it."""
        self._records.keep_unit(disk.record)
        try:
            self._disks.detach(disk.number)
        except Win32Error as error:
            if error.windows_code != WindowsCode.NOT_FOUND:  # else the operator was faster
                raise
