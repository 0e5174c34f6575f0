"""A unit of an iSCSI target as the medium of a disk: its sectors are read and written over the network."""

from collections.abc import Callable
from dataclasses import dataclass

from csiproxy.emulator import scsi
from csiproxy.emulator.attachment import UNIT_PREFIX
from csiproxy.emulator.image import MIN_SIZE, SECTOR, FileIdentity
from csiproxy.emulator.iscsi_link import Link, UnitRefuses
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus
from csiproxy.emulator.scsi import ScsiError
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import StorageIdentifier

# Bytes that one command moves.
_LARGEST_TRANSFER = 1 << 20


def unit_name(target: str, lun: int) -> str:
    """What identifies a unit everywhere: iSCSI names are unique in the world (RFC 7143 4.2.7)."""
    return f"{UNIT_PREFIX}{target},{lun}"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit says of itself.  ``size`` is bytes."""

    lun: int
    vendor: str
    product: str
    serial: str
    identifiers: tuple[StorageIdentifier, ...]
    size: int
    write_protected: bool


def inspect(link: Link, lun: int) -> Unit | None:
    """Ask a unit what it is; None when it is no disk that this node could use.

    IscsiFailure when the target does not answer.
    """
    try:
        kind = scsi.parse_inquiry(link.command(lun, scsi.inquiry(), expect=scsi.INQUIRY_LENGTH))
        if kind.device_type != scsi.DIRECT_ACCESS:
            return None
        capacity = _capacity(link, lun)
    except (UnitRefuses, ScsiError):
        return None
    if capacity.block_size != SECTOR or capacity.size < MIN_SIZE:
        return None
    return Unit(
        lun,
        kind.vendor,
        kind.product,
        scsi.parse_serial(_asked(link, lun, scsi.inquiry(scsi.SERIAL_PAGE), scsi.INQUIRY_LENGTH)),
        scsi.parse_identifiers(
            _asked(link, lun, scsi.inquiry(scsi.IDENTIFICATION_PAGE), scsi.INQUIRY_LENGTH)
        ),
        capacity.size,
        scsi.parse_write_protected(_asked(link, lun, scsi.mode_sense(), scsi.MODE_LENGTH)),
    )


def units(link: Link) -> list[Unit]:
    """The disks that a target offers, by LUN."""
    try:
        listed = scsi.parse_luns(link.command(0, scsi.report_luns(), expect=scsi.REPORT_LENGTH))
    except (UnitRefuses, ScsiError) as error:
        raise IscsiFailure(
            IscsiStatus.TARGET_ERROR, f"the target does not list its units: {error}"
        ) from error
    return [unit for lun in listed if (unit := inspect(link, lun))]


def _capacity(link: Link, lun: int) -> scsi.Capacity:
    return scsi.parse_capacity(link.command(lun, scsi.read_capacity(), expect=scsi.CAPACITY_LENGTH))


def _asked(link: Link, lun: int, cdb: bytes, length: int) -> bytes:
    """What a unit answers to a question that it need not know; nothing when it does not."""
    try:
        return link.command(lun, cdb, expect=length)
    except UnitRefuses:
        return b""


class Lun:
    """The sectors of one unit.  ``link`` gives the connection to its target as it is now."""

    def __init__(self, name: str, unit: Unit, link: Callable[[], Link]) -> None:
        self.path = name
        self._lun = unit.lun
        self._size = unit.size
        self._link = link
        self._closed = False

    @property
    def size(self) -> int:
        """Bytes, as of the last look."""
        return self._size

    @property
    def identity(self) -> FileIdentity | None:
        """None: it is no file of the host."""
        return None

    def measure(self) -> int:
        """Ask the target for the size again, and return it; a target that does not answer changes nothing."""
        try:
            capacity = _capacity(self._link(), self._lun)
        except (IscsiFailure, UnitRefuses, ScsiError):
            return self._size
        if capacity.block_size == SECTOR:
            self._size = capacity.size
        return self._size

    def check_length(self) -> None:
        """Refuse a unit that has become too small for a disk (1785)."""
        if self._size < MIN_SIZE:
            raise Win32Error(
                WindowsCode.UNRECOGNIZED_MEDIA, "ReadFile", f"{self.path} has {self._size} bytes, too few"
            )

    def read(self, offset: int, length: int) -> bytes:
        """Read within the size.  A target that does not answer is an I/O error (1117)."""
        length = max(0, min(length, self._size - offset))
        first = offset // SECTOR
        last = -(-(offset + length) // SECTOR)
        parts = [
            self._read_blocks(at, min(last - at, _LARGEST_TRANSFER // SECTOR))
            for at in range(first, last, _LARGEST_TRANSFER // SECTOR)
        ]
        begin = offset - first * SECTOR
        return b"".join(parts)[begin : begin + length]

    def write(self, offset: int, data: bytes) -> None:
        """Write whole sectors, or the begin of some, within the size.  A protected medium is 19."""
        if offset < 0 or offset + len(data) > self._size:
            raise Win32Error(
                WindowsCode.INVALID_PARAMETER, "WriteFile", f"{offset} is beyond the end of {self.path}"
            )
        head = offset % SECTOR
        tail = -(offset + len(data)) % SECTOR
        if head or tail:
            # Like a file, a unit takes any bytes here; what lies around them in their sectors stays.
            before = self.read(offset - head, head)
            data = before + data + self.read(offset + len(data), tail)
        first = (offset - head) // SECTOR
        for at in range(0, len(data), _LARGEST_TRANSFER):
            part = data[at : at + _LARGEST_TRANSFER]
            self._command("WriteFile", scsi.write(first + at // SECTOR, len(part) // SECTOR), data=part)

    def sync(self) -> None:
        """Return when the target has written down what it was given."""
        self._command("FlushFileBuffers", scsi.synchronize_cache())

    def grow(self, size: int) -> None:  # noqa: ARG002 - a unit never grows from here
        """Refused: a unit is grown on its target."""
        raise Win32Error(
            WindowsCode.NOT_SUPPORTED, "grow", f"{self.path} is a unit of an iSCSI target: grow it there"
        )

    def close(self) -> None:
        """Let go of it; the session stays."""
        self._closed = True

    def _read_blocks(self, first: int, count: int) -> bytes:
        data = self._command("ReadFile", scsi.read(first, count), expect=count * SECTOR)
        if len(data) != count * SECTOR:
            raise Win32Error(
                WindowsCode.IO_DEVICE, "ReadFile", f"{self.path} gives {len(data)} bytes of {count * SECTOR}"
            )
        return data

    def _command(self, call: str, cdb: bytes, *, expect: int = 0, data: bytes = b"") -> bytes:
        if self._closed:
            raise Win32Error(WindowsCode.IO_DEVICE, call, f"{self.path} was taken away")
        try:
            return self._link().command(self._lun, cdb, expect=expect, data=data)
        except IscsiFailure as error:
            raise Win32Error(WindowsCode.IO_DEVICE, call, f"{self.path}: {error}") from error
        except UnitRefuses as error:
            code = WindowsCode.WRITE_PROTECT if error.protected else WindowsCode.IO_DEVICE
            raise Win32Error(code, call, f"{self.path}: {error}") from error
