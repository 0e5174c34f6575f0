"""What a disk's driver is asked, and what it answers: its number, and its page-83 identifiers.

https://learn.microsoft.com/windows/win32/api/winioctl/ni-winioctl-ioctl_storage_get_device_number
https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddstor/ns-ntddstor-_storage_device_id_descriptor
"""

import struct
from collections.abc import Iterator

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

_NUMBER = struct.Struct("<III")
NUMBER_SIZE = _NUMBER.size
# Property, kind of the query (0: the descriptor itself), and room for parameters that this one has not.
_QUERY = struct.Struct("<II4x")
_STORAGE_DEVICE_ID_PROPERTY = 2
IDENTIFIERS_QUERY = _QUERY.pack(_STORAGE_DEVICE_ID_PROPERTY, 0)
_DESCRIPTOR = struct.Struct("<III")
DESCRIPTOR_SIZE = _DESCRIPTOR.size
_IDENTIFIER = struct.Struct("<IIHHI")
LARGEST_DESCRIPTOR = 64 * 1024


class BrokenAnswer(ValueError):
    """A driver's answer is not what Windows documents."""


def read_number(data: bytes) -> int:
    """STORAGE_DEVICE_NUMBER: the N of PhysicalDriveN.  Raise BrokenAnswer."""
    if len(data) < _NUMBER.size:
        raise BrokenAnswer("the device number is cut short")
    _, number, _ = _NUMBER.unpack_from(data)
    return int(number)


def whole_size(data: bytes) -> int:
    """How many bytes the whole descriptor has, of which ``data`` is the beginning.  Raise BrokenAnswer."""
    if len(data) < _DESCRIPTOR.size:
        raise BrokenAnswer("the descriptor of identifiers is cut short")
    _, size, _ = _DESCRIPTOR.unpack_from(data)
    if not _DESCRIPTOR.size <= size <= LARGEST_DESCRIPTOR:
        raise BrokenAnswer(f"the descriptor of identifiers says that it has {size} bytes")
    return int(size)


def read_identifiers(data: bytes) -> tuple[StorageIdentifier, ...]:
    """STORAGE_DEVICE_ID_DESCRIPTOR, in its order.  Raise BrokenAnswer.

    What has a code set, type or association that the port does not know is left out.
    """
    if len(data) < _DESCRIPTOR.size:
        raise BrokenAnswer("the descriptor of identifiers is cut short")
    _, _, count = _DESCRIPTOR.unpack_from(data)
    return tuple(_identifiers(data, count))


def _identifiers(data: bytes, count: int) -> Iterator[StorageIdentifier]:
    at = _DESCRIPTOR.size
    for left in range(count, 0, -1):
        if at + _IDENTIFIER.size > len(data):
            raise BrokenAnswer("an identifier begins behind the end of the answer")
        code_set, kind, length, following, association = _IDENTIFIER.unpack_from(data, at)
        text = data[at + _IDENTIFIER.size : at + _IDENTIFIER.size + length]
        if len(text) != length:
            raise BrokenAnswer("an identifier goes on behind the end of the answer")
        known = _identifier(code_set, kind, association, bytes(text))
        if known is not None:
            yield known
        if left > 1 and following < _IDENTIFIER.size + length:
            raise BrokenAnswer("an identifier overlaps the next")
        at += following


def _identifier(code_set: int, kind: int, association: int, text: bytes) -> StorageIdentifier | None:
    """An identifier; None where a newer standard than the port's gave it a meaning."""
    try:
        return StorageIdentifier(CodeSet(code_set), IdentifierType(kind), Association(association), text)
    except ValueError:
        return None
