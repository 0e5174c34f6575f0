"""SCSI as far as an initiator needs it to use a disk: commands as bytes, and what targets answer.

SPC-4 (INQUIRY, REPORT LUNS, MODE SENSE) and SBC-3 (READ, WRITE, READ CAPACITY, SYNCHRONIZE CACHE).  Every
answer is a target's and may be anything: what cannot be read is a :class:`ScsiError`.
"""

from dataclasses import dataclass

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

DIRECT_ACCESS = 0x00
# Single level LUN addressing reaches this far (SAM-5 4.7); more LUNs than this nobody reports.
MOST_LUNS = 256
HIGHEST_LUN = 0x3FFF
INQUIRY_LENGTH = 255
REPORT_LENGTH = 8 + 8 * MOST_LUNS
CAPACITY_LENGTH = 32
MODE_LENGTH = 192
SERIAL_PAGE, IDENTIFICATION_PAGE = 0x80, 0x83

_WRITE_PROTECTED = 0x80
_FLAT_SPACE = 1


class ScsiError(Exception):
    """A target's answer is not what its command asks for."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Standard INQUIRY data: what the unit is, and whose."""

    device_type: int
    vendor: str
    product: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many blocks of how many bytes a unit has."""

    blocks: int
    block_size: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.blocks * self.block_size


# --- commands ------------------------------------------------------------------------------------------


def inquiry(page: int | None = None) -> bytes:
    """INQUIRY, for standard data or for one page of vital product data."""
    return bytes((0x12, page is not None, page or 0)) + INQUIRY_LENGTH.to_bytes(2, "big") + b"\0"


def report_luns() -> bytes:
    """REPORT LUNS, for all that are addressed as usual."""
    return bytes((0xA0, 0, 0, 0, 0, 0)) + REPORT_LENGTH.to_bytes(4, "big") + bytes(2)


def read_capacity() -> bytes:
    """READ CAPACITY (16)."""
    return bytes((0x9E, 0x10)) + bytes(8) + CAPACITY_LENGTH.to_bytes(4, "big") + bytes(2)


def mode_sense() -> bytes:
    """MODE SENSE (6) of all pages; its header alone says whether the medium is write-protected."""
    return bytes((0x1A, 0, 0x3F, 0, MODE_LENGTH, 0))


def read(block: int, count: int) -> bytes:
    """READ (16)."""
    return bytes((0x88, 0)) + block.to_bytes(8, "big") + count.to_bytes(4, "big") + bytes(2)


def write(block: int, count: int) -> bytes:
    """WRITE (16)."""
    return bytes((0x8A, 0)) + block.to_bytes(8, "big") + count.to_bytes(4, "big") + bytes(2)


def synchronize_cache() -> bytes:
    """SYNCHRONIZE CACHE (10) of the whole unit."""
    return bytes((0x35,)) + bytes(9)


# --- answers -------------------------------------------------------------------------------------------


def parse_inquiry(data: bytes) -> Inquiry:
    """Standard INQUIRY data."""
    if len(data) < 36:
        raise ScsiError(f"the target answers INQUIRY with {len(data)} bytes")
    return Inquiry(data[0] & 0x1F, _text(data[8:16]), _text(data[16:32]))


def parse_luns(data: bytes) -> list[int]:
    """The numbers of REPORT LUNS data, in order; units that are addressed otherwise are left out."""
    if len(data) < 8:
        raise ScsiError(f"the target answers REPORT LUNS with {len(data)} bytes")
    listed = data[8 : 8 + int.from_bytes(data[:4], "big")]
    found = set()
    for at in range(0, len(listed) - 7, 8):
        address = listed[at : at + 8]
        method, rest = address[0] >> 6, address[2:]
        if method <= _FLAT_SPACE and not any(rest):
            found.add(int.from_bytes(address[:2], "big") & HIGHEST_LUN)
    return sorted(found)


def parse_capacity(data: bytes) -> Capacity:
    """READ CAPACITY (16) data."""
    if len(data) < 12:
        raise ScsiError(f"the target answers READ CAPACITY with {len(data)} bytes")
    block_size = int.from_bytes(data[8:12], "big")
    if not block_size:
        raise ScsiError("the target says that its blocks have no bytes")
    return Capacity(int.from_bytes(data[:8], "big") + 1, block_size)


def parse_write_protected(data: bytes) -> bool:
    """Whether MODE SENSE (6) data say that the medium is write-protected; no answer says that it is not."""
    return len(data) >= 3 and bool(data[2] & _WRITE_PROTECTED)


def parse_serial(data: bytes) -> str:
    """The text of the unit's serial number page."""
    return _text(data[4 : 4 + int.from_bytes(data[2:4], "big")]) if data[1:2] == bytes((SERIAL_PAGE,)) else ""


def parse_identifiers(data: bytes) -> tuple[StorageIdentifier, ...]:
    """The designators of the device identification page, in order; what is no designator is left out."""
    if data[1:2] != bytes((IDENTIFICATION_PAGE,)):
        return ()
    rest = data[4 : 4 + int.from_bytes(data[2:4], "big")]
    found = []
    while len(rest) >= 4:
        identifier, length = rest[4 : 4 + rest[3]], rest[3]
        codes, kinds, owners = rest[0] & 0x0F, rest[1] & 0x0F, rest[1] >> 4 & 3
        if len(identifier) == length and _known(codes, kinds, owners):
            found.append(
                StorageIdentifier(CodeSet(codes), IdentifierType(kinds), Association(owners), identifier)
            )
        rest = rest[4 + length :]
    return tuple(found)


def _known(codes: int, kinds: int, owners: int) -> bool:
    return (
        codes in [member.value for member in CodeSet]
        and kinds in [member.value for member in IdentifierType]
        and owners in [member.value for member in Association]
    )


def _text(data: bytes) -> str:
    """Text of a fixed length, padded; what is not printable ASCII becomes a question mark."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in data.rstrip(b"\0 ")).strip()
