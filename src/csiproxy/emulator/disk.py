"""The disks of an emulated node: attached, detached and grown by an operator, seen by Windows' classes.

What is attached stands in the node's state, what is on a disk in its image, so an image can be detached
and attached to another node with its volumes, as a cloud disk can.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from hashlib import sha256

from csiproxy.emulator import attachment, image, partition_table, placement
from csiproxy.emulator.attachment import Attachment, BusType, OfflineReason, Place
from csiproxy.emulator.directory_volume import DirectoryVolume
from csiproxy.emulator.image import Image, Medium, win32_error
from csiproxy.emulator.image_store import unfinished
from csiproxy.emulator.inventory import DiskReport, VolumeReport
from csiproxy.emulator.partition_table import Layout, LayoutError, Partition, PartitionStyle
from csiproxy.emulator.state import State
from csiproxy.emulator.system_disk import SYSTEM_DISK_SIZE, boot_partition, create_system_disk
from csiproxy.emulator.volume import Volume, VolumeStore
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.paths import VOLUME_NAME
from csiproxy.host.win32 import StorageDevice, StorageIdentifier

SCHEMA = (*attachment.SCHEMA, *unfinished.SCHEMA)
SYSTEM_DISK = 0
# Adapter 0 holds the system disk; data disks sit on this one unless the operator says otherwise.
DATA_ADAPTER = 1
# The initiator is an adapter, too.
ISCSI_ADAPTER = 2


class Disk:
    """One attached disk.  ``image`` is None when its file could not be opened; ``problem`` says why.

    ``layout`` is Windows' view, as old as the last :meth:`refresh`.
    """

    def __init__(self, record: Attachment, opened: Medium | None, problem: str = "") -> None:
        self.record = record
        self.image = opened
        self.problem = problem
        self.layout = Layout(PartitionStyle.RAW, 0)
        self.offline_partitions: set[int] = set()  # their offsets

    @property
    def number(self) -> int:
        """MSFT_Disk.Number."""
        return self.record.number

    @property
    def is_system(self) -> bool:
        """Whether the node started from it."""
        return self.number == SYSTEM_DISK

    @property
    def is_read_only(self) -> bool:
        """Whether writes are refused, by the hardware or by the disk's attribute."""
        return self.record.medium_read_only or self.record.read_only

    def is_offline(self, partition: Partition) -> bool:
        """Whether the partition's volume is not surfaced: its disk is offline, or it alone."""
        return self.record.offline or partition.offset in self.offline_partitions

    @property
    def device(self) -> Medium:
        """The medium of a disk that is present; a disk that is not is 1117."""
        if self.image is None:
            raise Win32Error(WindowsCode.IO_DEVICE, "CreateFileW", self.problem)
        return self.image

    def refresh(self) -> None:
        """Look at the image's size and table again, and mend a table that was half written.

        A failure becomes the layout's damage.
        """
        if not self.image:
            return
        self.image.measure()
        self.reload()
        if not (self.record.offline or self.is_read_only):
            # A table that cannot be mended (the host is full) is as readable as before.
            with suppress(LayoutError, Win32Error):
                partition_table.repair(self.image, self.layout)

    def reload(self) -> None:
        """Look at the table again, after this node has changed it; the size stays as it is known."""
        if self.image is None:
            return
        try:
            self.image.check_length()
            self.layout = partition_table.read(self.image)
        except Win32Error as error:
            self.layout = Layout(PartitionStyle.RAW, self.image.size, damage=str(error), unreadable=True)


class Disks:
    """All disks of one node and their volumes.  Safe to use from several threads.

    ``directory`` is the node's own; ``system.img`` in it is made at the first start.  ``drive_c`` is the
    host directory that holds the files of ``C:``, by default ``c`` in ``directory``.  The files of data disks
    are beside their images, or with a ``store`` in them.  What fails raises
    :class:`~csiproxy.errors.Win32Error` with a text for the operator.
    """

    def __init__(
        self,
        state: State,
        directory: str,
        *,
        drive_c: str = "",
        system_size: int = SYSTEM_DISK_SIZE,
        store: VolumeStore | None = None,
    ) -> None:
        self._state = state
        self._store = store
        self._is_mounted: Callable[[str], bool] = lambda _: False
        self._drive_c = os.path.realpath(drive_c or os.path.join(directory, "c"))
        self._units = os.path.join(os.path.realpath(directory), "units")
        self._disks: dict[int, Disk] = {}
        try:
            os.makedirs(self._drive_c, exist_ok=True)
        except OSError as error:
            raise win32_error(error, "CreateDirectoryW", self._drive_c) from error
        with state.transaction() as db:
            row = db.execute("SELECT guid FROM storage_provider").fetchone()
            self.provider = row[0] if row else state.fresh_guid()
            db.execute("INSERT OR IGNORE INTO storage_provider VALUES (1, ?)", (self.provider,))
            known = attachment.load(db)
            offline = attachment.load_offline_partitions(db)
        if not any(record.number == SYSTEM_DISK for record in known):
            known.insert(
                0, self._system_record(os.path.join(os.path.realpath(directory), "system.img"), system_size)
            )
        if store:
            store.recover(record.image for record in known)
        for record in known:
            disk = self._disks[record.number] = Disk(record, None)
            disk.offline_partitions = {offset for number, offset in offline if number == record.number}
            self._open(disk)

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held while a disk is looked at and changed; the state's own lock."""
        return self._state.lock

    def close(self) -> None:
        """Unlock all images."""
        with self.lock:
            if self._store:
                self._store.close()
            for disk in self._disks.values():
                if disk.image:
                    disk.image.close()
                    disk.image = None
                    disk.problem = "the node was stopped"

    # --- for the operator ------------------------------------------------------------------------------

    def attach(
        self,
        image: str,
        *,
        vendor: str = "Msft",
        product: str = "Virtual Disk",
        serial: str | None = None,
        identifiers: Sequence[StorageIdentifier] | None = None,
        bus: BusType = BusType.SAS,
        adapter: int = DATA_ADAPTER,
        bus_number: int = 0,
        target: int = 0,
        lun: int | None = None,
        read_only: bool = False,
        offline: bool = False,
        policy_read_only: bool = False,
        clustered: bool = False,
        number: int | None = None,
    ) -> int:
        """Attach an existing image and return its disk number.

        ``identifiers`` is page 83 (None: one made up, as a serial number of None is); ``read_only`` is
        the hardware's word, ``policy_read_only`` what a SAN policy does to new shared disks: they come
        offline and with the read-only attribute; a ``clustered`` one is a failover cluster's.  ``lun`` and
        ``number`` default to the lowest free ones.

        183: attached already, or number or LUN taken; 32: attached to another node; 2: no such image.
        """
        path = os.path.realpath(image)
        with self.lock:
            self._check_free(path)
            number = placement.free_number(number, self._disks)
            taken = {disk.record.place: disk.number for disk in self._disks.values()}
            place = placement.free_place(Place(adapter, bus_number, target, lun or 0), lun is None, taken)
            unique = self._state.fresh_guid().replace("-", "")
            record = Attachment(
                number,
                path,
                placement.text(vendor),
                placement.text(product),
                placement.text(unique[:20].upper() if serial is None else serial),
                placement.made_up_identifiers(unique) if identifiers is None else tuple(identifiers),
                BusType(bus),
                place,
                medium_read_only=read_only,
                read_only=policy_read_only,
                clustered=clustered,
            )
            if offline or policy_read_only:
                record = record.taken_offline(OfflineReason.POLICY)
            self._add(Disk(record, Image(path, read_only=read_only)))
            return number

    def attach_unit(self, unit: Attachment, medium: Medium) -> int:
        """Attach a unit of an iSCSI target and return its disk number.

        A unit that is known already, from before the node was started, goes on as the disk that it was;
        another one gets the number of ``unit`` when it is free, else the lowest one.
        """
        with self.lock:
            known = next((disk for disk in self._disks.values() if disk.record.image == unit.image), None)
            if known:
                known.image, known.problem = medium, ""
                known.refresh()
                self._settle()
                return known.number
            number = unit.number if unit.number and unit.number not in self._disks else None
            records = [disk.record for disk in self._disks.values()]
            siblings = [one.place for one in records if one.is_unit and one.target == unit.target]
            place = placement.unit_place(
                ISCSI_ADAPTER, unit.place.lun, siblings, [one.place for one in records]
            )
            record = replace(unit, number=placement.free_number(number, self._disks), place=place)
            self._add(Disk(record, medium))
            return record.number

    def units(self) -> list[Disk]:
        """The disks that are units of iSCSI targets, present or not."""
        with self.lock:
            return [disk for _, disk in sorted(self._disks.items()) if disk.record.is_unit]

    def _add(self, disk: Disk) -> None:
        disk.refresh()
        if not disk.record.offline and self.twin(disk):
            disk.record = disk.record.taken_offline(OfflineReason.COLLISION)
        try:
            self._save(disk.record)
        except BaseException:
            disk.device.close()
            raise
        self._disks[disk.number] = disk
        self._settle()

    def detach(self, number: int) -> None:
        """Take a disk away, whatever Windows does with it.  Its image and files stay as they are."""
        with self.lock:
            disk = self._known(number)
            if disk.is_system:
                raise Win32Error(WindowsCode.NOT_SUPPORTED, "detach", "the system disk cannot be detached")
            with self._state.transaction() as db:
                attachment.delete(db, number)
            del self._disks[number]
            self._settle()
            if disk.image:
                disk.image.close()

    def follow(self, is_mounted: Callable[[str], bool]) -> None:
        """Have the volumes that are mounted in the namespace ready for any process, now and from now on.

        ``is_mounted`` says whether a directory leads to the volume of a name.
        """
        with self.lock:
            self._is_mounted = is_mounted
            self._settle()

    def grow(self, number: int, size: int) -> None:
        """Make a disk larger, as a cloud does.  Windows sees it after a refresh or rescan."""
        with self.lock:
            self._known(number).device.grow(size)

    def inventory(self) -> list[DiskReport]:
        """All attached disks, present or not, by number.  Of their volumes the names alone are known here."""
        with self.lock:
            return [self._info(disk) for _, disk in sorted(self._disks.items())]

    # --- for the namespace -----------------------------------------------------------------------------

    def volume_directory(self, volume: str) -> str:
        r"""The host directory that holds the files of ``\\?\Volume{guid}\``.

        1168: no such volume; 21: its disk or partition is offline; 1005: not formatted, or by another
        system; 1393: its files are missing.
        """
        call = "GetVolumeInformationByHandleW"
        with self.lock:
            disk, found = self.find_volume(volume, offline=True)
            if disk.is_offline(found.partition):
                raise Win32Error(WindowsCode.NOT_READY, call, f"the disk of {volume} is offline")
            return found.directory()

    def known_volume_directories(self) -> dict[str, str]:
        """Host directory to volume name, of all volumes that can be mounted now, except the one of ``C:``."""
        found: dict[str, str] = {}
        with self.lock:
            for _, volume in self.volumes():
                directory = "" if volume.place else volume.files()
                if directory:
                    found[directory] = volume.name
        return found

    def storage_device(self, path: str) -> StorageDevice:
        r"""What the driver says of the disk at an MSFT_Disk.Path (or ``\\.\PhysicalDriveN``); else 2."""
        wanted = path.lower()
        with self.lock:
            for disk in self.present():
                if wanted in (disk.record.path, f"\\\\.\\physicaldrive{disk.number}"):
                    return StorageDevice(disk.number, disk.record.identifiers)
        raise Win32Error(WindowsCode.FILE_NOT_FOUND, "CreateFileW", f"there is no disk {path}")

    # --- for the CIM classes, which hold the lock ------------------------------------------------------

    def present(self) -> list[Disk]:
        """The disks that Windows sees, by number."""
        return [disk for _, disk in sorted(self._disks.items()) if disk.image]

    def rescan(self) -> None:
        """Look at every disk again, and for images that were missing."""
        for number in sorted(self._disks):
            with self.lock:
                disk = self._disks.get(number)
                if disk and disk.image:
                    disk.refresh()
                elif disk:
                    self._open(disk)
        with self.lock:
            self._settle()

    def volumes(self, *, offline: bool = False) -> Iterator[tuple[Disk, Volume]]:
        """The volumes that Windows surfaces; with ``offline`` those of offline disks and partitions, too."""
        for disk in self.present():
            for partition in disk.layout.partitions:
                if partition.has_volume and (offline or not disk.is_offline(partition)):
                    yield disk, self.volume_of(disk, partition)

    def volume_of(self, disk: Disk, partition: Partition) -> Volume:
        """The volume on a partition that has one."""
        boot = boot_partition(disk.layout) if disk.is_system else None
        place = self._drive_c if boot == partition else ""
        guid = disk.layout.volume_guid(partition)
        if self._store and not disk.is_system and isinstance(disk.device, Image):
            return self._store.volume(disk.device, partition, guid, read_only=disk.is_read_only)
        return DirectoryVolume(disk.device, partition, guid, self._files(disk.record), place)

    def find_volume(self, name: str, *, offline: bool = False) -> tuple[Disk, Volume]:
        """A volume by its name, with or without the last backslash; unknown is 1168."""
        match = VOLUME_NAME.fullmatch(name)
        guid = match[1][1:-1].lower() if match else ""
        found: tuple[Disk, Partition] | None = None
        for disk in self.present():
            partition = disk.layout.volumes.get(guid)
            if partition and not disk.is_offline(partition):
                return disk, self.volume_of(disk, partition)
            if partition and offline and (found is None or found[0].record.offline > disk.record.offline):
                found = disk, partition
        if found is None:
            raise Win32Error(WindowsCode.NOT_FOUND, "CreateFileW", f"there is no volume {name}")
        return found[0], self.volume_of(*found)

    def find(self, path: str) -> Disk | None:
        """A disk by its MSFT_Disk.Path in whichever case."""
        wanted = path.lower()
        return next((disk for disk in self.present() if disk.record.path == wanted), None)

    def twin(self, disk: Disk) -> Disk | None:
        """Another online disk that shares a name with this one: a copy, which Windows keeps offline."""
        others = (other for other in self.present() if other is not disk and not other.record.offline)
        return next((other for other in others if disk.layout.names & other.layout.names), None)

    def update(self, disk: Disk, record: Attachment) -> None:
        """Change and keep what Windows is told of a disk."""
        self._save(record)
        disk.record = record
        self._settle()

    def set_partition_offline(self, disk: Disk, partition: Partition, *, offline: bool) -> None:
        """Take a partition offline, until it is brought back."""
        with self._state.transaction() as db:
            attachment.save_partition_offline(db, disk.number, partition.offset, offline=offline)
        if offline:
            disk.offline_partitions.add(partition.offset)
        else:
            disk.offline_partitions.discard(partition.offset)
        self._settle()

    def fresh_guid(self) -> str:
        """A GUID for a disk or partition."""
        return self._state.fresh_guid()

    # --- inside ----------------------------------------------------------------------------------------

    def _files(self, record: Attachment) -> str:
        """The directory of the host below which the files of a disk's volumes are.

        Those of an image lie beside it.  A unit has no beside, so they are in the node's directory, by the
        unit's name (a digest of it, which any host takes for a name).
        """
        if not record.is_unit:
            return record.image + ".d"
        return os.path.join(self._units, sha256(record.image.encode()).hexdigest())

    def _settle(self) -> None:
        """Mount and unmount what is to be after disks or partitions came, went or changed."""
        if self._store:
            self._store.settle([volume for _, volume in self.volumes()], self._is_mounted)

    def _open(self, disk: Disk) -> None:
        if disk.record.is_unit:
            disk.problem = "its iSCSI target is not logged in"
            return
        try:
            disk.image = Image(disk.record.image, read_only=disk.record.medium_read_only)
            disk.problem = ""
        except Win32Error as error:
            disk.problem = error.detail
        disk.refresh()
        # The image may have become a copy of another one while nobody looked.
        if not (disk.is_system or disk.record.offline) and self.twin(disk):
            self.update(disk, disk.record.taken_offline(OfflineReason.COLLISION))

    def _save(self, record: Attachment) -> None:
        with self._state.transaction() as db:
            attachment.save(db, record)

    def _system_record(self, path: str, size: int) -> Attachment:
        create_system_disk(path, size, self._state.fresh_guid)
        unique = self._state.fresh_guid().replace("-", "")
        record = Attachment(
            SYSTEM_DISK,
            path,
            "Msft",
            "Virtual Disk",
            unique[:20].upper(),
            placement.made_up_identifiers(unique),
            BusType.ATA,
            Place(0, 0, 0, 0),
        )
        self._save(record)
        return record

    def _known(self, number: int) -> Disk:
        disk = self._disks.get(number)
        if disk is None:
            raise Win32Error(WindowsCode.NOT_FOUND, "CreateFileW", f"no disk has the number {number}")
        return disk

    def _check_free(self, path: str) -> None:
        try:
            status = os.stat(path)
        except OSError as error:
            raise win32_error(error, "attach", path) from error
        wanted = image.FileIdentity(status.st_dev, status.st_ino)
        for disk in self._disks.values():
            if disk.record.image == path or (disk.image and disk.image.identity == wanted):
                raise Win32Error(
                    WindowsCode.ALREADY_EXISTS, "attach", f"{path} is disk {disk.number} already"
                )

    def _info(self, disk: Disk) -> DiskReport:
        record, layout = disk.record, disk.layout
        volumes = [
            VolumeReport(self.volume_of(disk, part).name)
            for part in layout.partitions
            if part.has_volume and disk.image
        ]
        return DiskReport(
            record.number,
            record.image,
            layout.size,
            disk.image is not None,
            disk.problem or layout.damage,
            record.location,
            record.serial,
            layout.style.name,
            record.offline,
            disk.is_read_only,
            tuple(volumes),
        )
