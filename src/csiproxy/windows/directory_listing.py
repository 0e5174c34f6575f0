"""What a directory's listing says: FILE_FULL_DIR_INFORMATION entries, one behind the other.

[MS-FSCC] 2.4.14; https://learn.microsoft.com/windows/win32/api/winbase/ns-winbase-file_full_dir_info
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from csiproxy.windows import nt

# Next entry's offset, file index, four times, two sizes, attributes, length of the name, and a field that
# holds the reparse tag where there is one, else the size of extended attributes.  The name follows.
_ENTRY = struct.Struct("<II4q2qIII")


@dataclass(frozen=True, slots=True)
class Listed:
    """One name, its attributes, and its reparse tag (0 where it is no reparse point)."""

    name: str
    attributes: int
    tag: int


class BrokenListing(ValueError):
    """The buffer is not what Windows documents."""


def read(data: bytes) -> Iterator[Listed]:
    """The names of one buffer, ``.`` and ``..`` left out.  Raise BrokenListing."""
    at = 0
    while True:
        if at + _ENTRY.size > len(data):
            raise BrokenListing("an entry begins behind the end of the buffer")
        fields = _ENTRY.unpack_from(data, at)
        following, attributes, length, tag = fields[0], *fields[-3:]
        name = data[at + _ENTRY.size : at + _ENTRY.size + length]
        if len(name) != length or length % 2:
            raise BrokenListing("a name goes on behind the end of the buffer")
        text = name.decode("utf-16-le", "surrogatepass")
        if text not in (".", ".."):
            yield Listed(text, attributes, tag if attributes & nt.FILE_ATTRIBUTE_REPARSE_POINT else 0)
        if not following:
            return
        if following < _ENTRY.size + length:
            raise BrokenListing("an entry overlaps the next")
        at += following
