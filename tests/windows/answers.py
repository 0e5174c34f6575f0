"""What Windows answers, written byte by byte: the other side of the parsers in csiproxy.windows."""

import struct

from csiproxy.host.win32 import StorageIdentifier
from csiproxy.windows.directory_listing import Listed

_ENTRY = struct.Struct("<II4q2qIII")
_NUMBER = struct.Struct("<III")
_DESCRIPTOR = struct.Struct("<III")
_IDENTIFIER = struct.Struct("<IIHHI")


def listing(entries: list[Listed]) -> bytes:
    """FILE_FULL_DIR_INFORMATION entries."""
    parts = []
    for index, entry in enumerate(entries):
        name = entry.name.encode("utf-16-le", "surrogatepass")
        padding = -(_ENTRY.size + len(name)) % 8
        following = 0 if index == len(entries) - 1 else _ENTRY.size + len(name) + padding
        head = _ENTRY.pack(following, 0, *(0,) * 6, entry.attributes, len(name), entry.tag)
        parts.append(head + name + b"\0" * padding)
    return b"".join(parts)


def device_number(number: int) -> bytes:
    """STORAGE_DEVICE_NUMBER."""
    disk_device, no_partition = 7, 0xFFFF_FFFF
    return _NUMBER.pack(disk_device, number, no_partition)


def device_identifiers(identifiers: tuple[StorageIdentifier, ...]) -> bytes:
    """STORAGE_DEVICE_ID_DESCRIPTOR."""
    parts = []
    for one in identifiers:
        padding = -(_IDENTIFIER.size + len(one.identifier)) % 4
        following = _IDENTIFIER.size + len(one.identifier) + padding
        head = _IDENTIFIER.pack(
            one.code_set.value, one.type.value, len(one.identifier), following, one.association.value
        )
        parts.append(head + one.identifier + b"\0" * padding)
    body = b"".join(parts)
    size = _DESCRIPTOR.size + len(body)
    return _DESCRIPTOR.pack(size, size, len(identifiers)) + body
