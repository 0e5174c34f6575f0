"""How a disk is attached to the node: what Windows is told of it, kept in the node's state."""

import json
import re
import sqlite3
from dataclasses import dataclass, field, replace
from enum import IntEnum

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS disks (
         number           INTEGER PRIMARY KEY,
         image            TEXT NOT NULL UNIQUE,  -- absolute, without links
         vendor           TEXT NOT NULL,
         product          TEXT NOT NULL,
         serial           TEXT NOT NULL,
         identifiers      TEXT NOT NULL,         -- JSON: [[code set, type, association, hex], ...]
         bus              INTEGER NOT NULL,      -- MSFT_Disk.BusType
         adapter          INTEGER NOT NULL,
         bus_number       INTEGER NOT NULL,
         target           INTEGER NOT NULL,
         lun              INTEGER NOT NULL,
         medium_read_only INTEGER NOT NULL,      -- the hardware refuses writes
         read_only        INTEGER NOT NULL,      -- the disk's attribute, which a client can clear
         offline          INTEGER NOT NULL,
         offline_reason   INTEGER NOT NULL,      -- MSFT_Disk.OfflineReason, 0 while online
         UNIQUE (adapter, bus_number, target, lun)
       )""",
    """CREATE TABLE IF NOT EXISTS offline_partitions (
         disk   INTEGER NOT NULL REFERENCES disks (number) ON DELETE CASCADE,
         offset INTEGER NOT NULL,
         PRIMARY KEY (disk, offset)
       )""",
    """CREATE TABLE IF NOT EXISTS clustered_disks (
         disk INTEGER PRIMARY KEY REFERENCES disks (number) ON DELETE CASCADE
       )""",
    """CREATE TABLE IF NOT EXISTS storage_provider (
         only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
         guid     TEXT NOT NULL                  -- the part of every ObjectId that is this node's own
       )""",
)

# What a unit of an iSCSI target is called in the place of an image's path, which begins with a slash.
UNIT_PREFIX = "iscsi:"

# GUID_DEVINTERFACE_DISK, the last part of every disk's path.
DISK_INTERFACE = "{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"
# What INQUIRY data hold (SPC-4 6.6.2); Windows cuts hardware identifiers there.
_VENDOR_LENGTH = 8
_PRODUCT_LENGTH = 16


class BusType(IntEnum):
    """MSFT_Disk.BusType (STORAGE_BUS_TYPE)."""

    SCSI = 1
    ATA = 3
    FIBRE_CHANNEL = 6
    USB = 7
    RAID = 8
    ISCSI = 9
    SAS = 10
    SATA = 11
    VIRTUAL = 14
    FILE_BACKED_VIRTUAL = 15
    SPACES = 16
    NVME = 17


class OfflineReason(IntEnum):
    """MSFT_Disk.OfflineReason; NONE is Windows' NULL."""

    NONE = 0
    POLICY = 1
    COLLISION = 4
    CRITICAL_WRITE_FAILURES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a disk sits, as its MSFT_Disk.Location says.  ``bus_number`` is the adapter's PCI bus."""

    adapter: int
    bus_number: int
    target: int
    lun: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """One row: the disk as Windows' drivers describe it."""

    number: int
    image: str  # or the name of a unit
    vendor: str
    product: str
    serial: str
    identifiers: tuple[StorageIdentifier, ...]
    bus: BusType
    place: Place
    medium_read_only: bool = False
    read_only: bool = False
    offline: bool = False
    offline_reason: OfflineReason = OfflineReason.NONE
    clustered: bool = False
    path: str = field(init=False, compare=False)
    """MSFT_Disk.Path, lower case: opens the device, and names nothing twice on one node."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self._path())  # once: disks are looked for by it

    @property
    def is_unit(self) -> bool:
        """Whether its sectors are on an iSCSI target instead of in an image."""
        return self.image.startswith(UNIT_PREFIX)

    @property
    def target(self) -> str:
        """The name of the iSCSI target that a unit is of."""
        return self.image.removeprefix(UNIT_PREFIX).rpartition(",")[0] if self.is_unit else ""

    @property
    def location(self) -> str:
        """MSFT_Disk.Location as real machines say it; ATA and NVMe disks have no target and no LUN there."""
        place = self.place
        if self.bus in (BusType.ATA, BusType.SATA):
            return f"PCI Slot 0 : Adapter {place.adapter} : Channel {place.target} : Device {place.lun}"
        adapter = f"Bus {place.bus_number} : Device {place.adapter} : Function 0 : Adapter {place.adapter}"
        if self.bus is BusType.NVME:
            return f"Integrated : {adapter}"
        slot = f"PCI Slot {place.adapter}"
        return f"{slot} : {adapter} : Port 0 : Target {place.target} : LUN {place.lun}"

    def _path(self) -> str:
        vendor = _hardware_name(self.vendor, _VENDOR_LENGTH)
        product = _hardware_name(self.product, _PRODUCT_LENGTH)
        place = self.place
        instance = f"{place.adapter:x}&{place.bus_number:x}&0&{place.target:02x}{place.lun:04x}"
        return f"\\\\?\\scsi#disk&ven_{vendor}&prod_{product}#{instance}#{DISK_INTERFACE}"

    @property
    def unique_id(self) -> tuple[str, int]:
        """MSFT_Disk.UniqueId and UniqueIdFormat: the best device identifier of page 83."""
        for kind in _UNIQUE_ID_ORDER:
            for item in self.identifiers:
                if item.association is Association.DEVICE and item.type is kind:
                    return _identifier_text(item), kind.value
        return self.path.split("#", 1)[1].rpartition("#")[0].upper(), IdentifierType.VENDOR_SPECIFIC.value

    def online(self) -> "Attachment":
        """The same disk, online."""
        return replace(self, offline=False, offline_reason=OfflineReason.NONE)

    def taken_offline(self, reason: OfflineReason) -> "Attachment":
        """The same disk, offline."""
        return replace(self, offline=True, offline_reason=reason)


_UNIQUE_ID_ORDER = (
    IdentifierType.SCSI_NAME_STRING,
    IdentifierType.FCPH_NAME,
    IdentifierType.EUI64,
    IdentifierType.VENDOR_ID,
    IdentifierType.VENDOR_SPECIFIC,
)


def _hardware_name(text: str, length: int) -> str:
    """A part of a Plug and Play identifier: nothing but letters, digits and underscores, lower case."""
    return re.sub(r"[^a-z0-9_]", "_", text[:length].strip().lower())


def _identifier_text(item: StorageIdentifier) -> str:
    if item.code_set in (CodeSet.ASCII, CodeSet.UTF8):
        return item.identifier.decode("utf-8", "replace").strip("\0 ")
    return item.identifier.hex().upper()


# --- rows ----------------------------------------------------------------------------------------------

_COLUMNS = (
    "number, image, vendor, product, serial, identifiers, bus, adapter, bus_number, target, lun, "
    "medium_read_only, read_only, offline, offline_reason"
)


def load(db: sqlite3.Connection) -> list[Attachment]:
    """All attached disks, by number."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM disks ORDER BY number").fetchall()  # noqa: S608  (constant text)
    clustered = {row[0] for row in db.execute("SELECT disk FROM clustered_disks")}
    return [replace(_from_row(row), clustered=row[0] in clustered) for row in rows]


def _from_row(row: tuple[int | str, ...]) -> Attachment:
    number, image, vendor, product, serial, identifiers, bus, adapter, bus_number, target, lun, *flags = row
    return Attachment(
        int(number),
        str(image),
        str(vendor),
        str(product),
        str(serial),
        tuple(
            StorageIdentifier(CodeSet(code), IdentifierType(kind), Association(owner), bytes.fromhex(text))
            for code, kind, owner, text in json.loads(str(identifiers))
        ),
        BusType(int(bus)),
        Place(int(adapter), int(bus_number), int(target), int(lun)),
        bool(flags[0]),
        bool(flags[1]),
        bool(flags[2]),
        OfflineReason(int(flags[3])),
    )


def save(db: sqlite3.Connection, disk: Attachment) -> None:
    """Insert a disk, or replace what is known of its number."""
    identifiers = [
        [item.code_set.value, item.type.value, item.association.value, item.identifier.hex()]
        for item in disk.identifiers
    ]
    place = disk.place
    values = (
        disk.number, disk.image, disk.vendor, disk.product, disk.serial, json.dumps(identifiers),
        int(disk.bus), place.adapter, place.bus_number, place.target, place.lun,
        disk.medium_read_only, disk.read_only, disk.offline, int(disk.offline_reason),
    )  # fmt: skip
    updates = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS.split(", ")[1:])
    db.execute(
        f"INSERT INTO disks ({_COLUMNS}) VALUES ({', '.join('?' * len(values))}) "  # noqa: S608
        f"ON CONFLICT (number) DO UPDATE SET {updates}",
        values,
    )
    if disk.clustered:
        db.execute("INSERT OR IGNORE INTO clustered_disks VALUES (?)", (disk.number,))


def delete(db: sqlite3.Connection, number: int) -> None:
    """Forget a disk and which of its partitions are offline."""
    db.execute("DELETE FROM disks WHERE number = ?", (number,))


def load_offline_partitions(db: sqlite3.Connection) -> list[tuple[int, int]]:
    """Disk number and offset of all partitions that were taken offline by themselves."""
    return list(db.execute("SELECT disk, offset FROM offline_partitions"))


def save_partition_offline(db: sqlite3.Connection, number: int, offset: int, *, offline: bool) -> None:
    """Keep that a partition is offline, or that it is not any more."""
    if offline:
        db.execute("INSERT OR IGNORE INTO offline_partitions (disk, offset) VALUES (?, ?)", (number, offset))
    else:
        db.execute("DELETE FROM offline_partitions WHERE disk = ? AND offset = ?", (number, offset))
