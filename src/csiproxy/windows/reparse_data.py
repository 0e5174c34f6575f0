r"""What a reparse point holds, and back: symbolic links, junctions and mount points of volumes.

[MS-FSCC] 2.1.2.4 and 2.1.2.5.  A name in them is one of the object manager (``\??\C:\x``).  What matters is
the substitute name, which Windows follows; the print name is for people and may say something else.
"""

import re
import struct
from dataclasses import dataclass

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.paths import canonical_volume
from csiproxy.host.win32 import EntryKind
from csiproxy.windows import nt

# Tag, length of what follows, and a field that is not used.
_HEAD = struct.Struct("<IHH")
# Offset and length of the substitute name and of the print name, in the text behind; symbolic links have
# flags between the two.
_NAMES = struct.Struct("<HHHH")
_FLAGS = struct.Struct("<I")
_RELATIVE = 1
_NT = "\\??\\"
_VOLUME = re.compile(r"\\\?\?\\Volume\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}\\", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_UNC = "UNC\\"
SET = "FSCTL_SET_REPARSE_POINT"


@dataclass(frozen=True, slots=True)
class ReparsePoint:
    """What a name leads to: ``target`` as :class:`csiproxy.host.win32.Entry` has it."""

    kind: EntryKind
    target: str


def symbolic_link(target: str) -> bytes:
    r"""The data of a link to ``C:\…``, ``\\server\share\…`` or ``\\?\Volume{guid}\…``.

    A target that is too long is ERROR_FILENAME_EXCED_RANGE (206).
    """
    return _encoded(nt.IO_REPARSE_TAG_SYMLINK, to_nt(target), target, _FLAGS.pack(0))


def mount_point(volume: str) -> bytes:
    r"""The data of a mount point of ``\\?\Volume{guid}\``."""
    return _encoded(nt.IO_REPARSE_TAG_MOUNT_POINT, to_nt(volume), "", b"")


def without_data(tag: int) -> bytes:
    """What FSCTL_DELETE_REPARSE_POINT wants: the tag that is expected there."""
    return _HEAD.pack(tag, 0, 0)


def read(data: bytes) -> ReparsePoint:
    """What a buffer of FSCTL_GET_REPARSE_POINT says; what it does not say well is of an unknown kind."""
    unknown = ReparsePoint(EntryKind.OTHER_REPARSE_POINT, "")
    if len(data) < _HEAD.size:
        return unknown
    tag, length, _ = _HEAD.unpack_from(data)
    body = data[_HEAD.size : _HEAD.size + length]
    if tag == nt.IO_REPARSE_TAG_SYMLINK:
        substitute = _substitute(body, _NAMES.size + _FLAGS.size)
        if substitute is None:
            return unknown
        (flags,) = _FLAGS.unpack_from(body, _NAMES.size)
        relative = bool(flags & _RELATIVE)
        return ReparsePoint(EntryKind.SYMBOLIC_LINK, substitute if relative else from_nt(substitute))
    if tag == nt.IO_REPARSE_TAG_MOUNT_POINT:
        substitute = _substitute(body, _NAMES.size)
        if substitute is None:
            return unknown
        if _VOLUME.fullmatch(substitute):
            return ReparsePoint(EntryKind.MOUNT_POINT, canonical_volume(from_nt(substitute), SET))
        return ReparsePoint(EntryKind.JUNCTION, from_nt(substitute))
    return unknown


def to_nt(path: str) -> str:
    r"""The object manager's name of a path: ``\??\C:\x``, ``\??\UNC\server\share``, ``\??\Volume{guid}\``."""
    if path.startswith("\\\\?\\"):
        return _NT + path[4:]
    if path.startswith("\\\\"):
        return _NT + _UNC + path[2:]
    return _NT + path


def from_nt(name: str) -> str:
    r"""The Windows path of an object manager's name, the other way round; another name as it is."""
    if not name.startswith(_NT):
        return name
    rest = name[len(_NT) :]
    if rest[: len(_UNC)].upper() == _UNC:
        return "\\\\" + rest[len(_UNC) :]
    return rest if _DRIVE.match(rest) else "\\\\?\\" + rest


def _encoded(tag: int, substitute: str, shown: str, flags: bytes) -> bytes:
    first, second = (text.encode("utf-16-le", "surrogatepass") for text in (substitute, shown))
    # Each name ends in a zero that its length does not count, as Windows' own tools write it.
    names = _NAMES.pack(0, len(first), len(first) + 2, len(second)) if _fits(first, second) else b""
    body = names + flags + first + b"\0\0" + second + b"\0\0"
    if not names or _HEAD.size + len(body) > nt.MAXIMUM_REPARSE_DATA_BUFFER_SIZE:
        raise Win32Error(WindowsCode.FILENAME_EXCED_RANGE, SET, "the target is too long for a link")
    return _HEAD.pack(tag, len(body), 0) + body


def _fits(first: bytes, second: bytes) -> bool:
    return len(first) + len(second) < nt.MAXIMUM_REPARSE_DATA_BUFFER_SIZE


def _substitute(body: bytes, begin: int) -> str | None:
    """The substitute name; None where the offsets lead out of the buffer or it is no text."""
    if len(body) < begin:
        return None
    offset, length, _, _ = _NAMES.unpack_from(body)
    name = body[begin + offset : begin + offset + length]
    if len(name) != length or length % 2:
        return None
    return name.decode("utf-16-le", "surrogatepass")
