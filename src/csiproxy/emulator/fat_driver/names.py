"""Names of files on FAT: long ones in entries of their own, and the short one that each has.

Microsoft, "FAT: General Overview of On-Disk Format" (fatgen103), sections 6 and 7.
"""

import errno
import struct
import zlib
from collections.abc import Callable

from csiproxy.emulator.fat_driver.volume import failed

ENTRY = 32
LONG_NAME = 0x0F
_LAST = 0x40
_PER_ENTRY = 13
_LONGEST = 255  # UTF-16 code units
_FORBIDDEN = frozenset('"*/:<>?\\|')
_SHORT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'()-@^_`{}~")
# The short name's parts are lower case: what Windows NT keeps in byte 12 to save entries.
_LOWER_BASE, _LOWER_EXTENSION = 0x08, 0x10
_PARTS = ((1, 5), (14, 6), (28, 2))  # where an entry holds how many code units


def check(name: str) -> str:
    """The name again; one that Windows cannot give a file is an OSError (EINVAL, ENAMETOOLONG)."""
    try:
        units = len(name.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        raise failed(errno.EILSEQ) from None
    if units > _LONGEST:
        raise failed(errno.ENAMETOOLONG)
    if not name or name[-1] in ". " or any(c in _FORBIDDEN or c < " " for c in name):
        raise failed(errno.EINVAL)
    return name


def folded(name: str) -> str:
    """What names that FAT holds equal have in common."""
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in name)


def checksum(short: bytes) -> int:
    """What ties entries of a long name to the short one."""
    value = 0
    for byte in short:
        value = ((value >> 1) + (value << 7 & 0x80) + byte) & 0xFF
    return value


def short_text(short: bytes, case: int = 0) -> str:
    """A short name as a user sees it; ``case`` is byte 12 of its entry."""
    kanji = b"\xe5" + short[1:] if short[:1] == b"\x05" else short
    base, extension = kanji[:8].decode("cp437").rstrip(" "), kanji[8:11].decode("cp437").rstrip(" ")
    base = base.lower() if case & _LOWER_BASE else base
    extension = extension.lower() if case & _LOWER_EXTENSION else extension
    return f"{base}.{extension}" if extension else base


def long_entries(name: str, short: bytes) -> bytes:
    """The entries of a long name, in the order of the directory."""
    units = name.encode("utf-16-le")
    count = -(-len(units) // (2 * _PER_ENTRY))
    if len(units) < 2 * _PER_ENTRY * count:
        units = (units + b"\0\0").ljust(2 * _PER_ENTRY * count, b"\xff")
    entries = bytearray()
    for order in range(count, 0, -1):
        entry = bytearray(ENTRY)
        entry[0] = order | (_LAST if order == count else 0)
        entry[11], entry[13] = LONG_NAME, checksum(short)
        at = 2 * _PER_ENTRY * (order - 1)
        for begin, letters in _PARTS:
            entry[begin : begin + 2 * letters] = units[at : at + 2 * letters]
            at += 2 * letters
        entries += entry
    return bytes(entries)


class LongName:
    """Collects the entries of a long name as they are met in a directory."""

    def __init__(self) -> None:
        self._units = b""
        self._expected = self._checksum = 0
        self.begin = 0  # the slot of the first of them

    def take(self, entry: bytes, slot: int) -> None:
        """An entry of a long name is met at a slot."""
        order = entry[0] & 0x3F
        if entry[0] & _LAST:
            self._units, self._expected, self._checksum, self.begin = b"", order, entry[13], slot
        if not order or order != self._expected or entry[13] != self._checksum:
            self._expected = -1  # it is nobody's
            return
        part = b"".join(entry[begin : begin + 2 * letters] for begin, letters in _PARTS)
        self._units = part + self._units
        self._expected = order - 1

    def name(self, short: bytes) -> str | None:
        """The long name of the short entry that is met now; None when it has none."""
        whole = self._units and not self._expected and checksum(short) == self._checksum
        units, self._units = self._units, b""
        if not whole:
            return None
        text = units.decode("utf-16-le", "replace").split("\0", 1)[0].rstrip("\uffff")
        return text if text and not any(c in _FORBIDDEN or c < " " for c in text) else None


def short_for(name: str, taken: Callable[[bytes], bool]) -> tuple[bytes, bool]:
    """A short name that is not taken, and whether it says all of the name.

    Windows numbers the first four that begin alike and takes a hash for those after them.
    """
    base, dot, extension = name.rpartition(".")
    if not dot or not base:
        base, extension = name, ""
    exact = _padded(base, extension)
    if exact is not None and not taken(exact):
        return exact, True
    stem, tail = _legal(base)[:8] or b"_", _legal(extension)[:3]
    for attempt in range(1, 1 << 20):
        if attempt <= 4:
            number = b"~%d" % attempt
            short = stem[: 8 - len(number)] + number
        else:
            mark = zlib.crc32(b"%d" % attempt + name.encode("utf-16-le")) & 0xFFFF
            short = stem[:2] + b"%04X~%d" % (mark, attempt % 9 + 1)
        candidate = short.ljust(8) + tail.ljust(3)
        if not taken(candidate):
            return candidate, False
    raise failed(errno.ENOSPC)


def _padded(base: str, extension: str) -> bytes | None:
    """The short form of a name that is one already."""
    try:
        pair = base.encode("ascii"), extension.encode("ascii")
    except UnicodeEncodeError:
        return None
    if not 1 <= len(pair[0]) <= 8 or len(pair[1]) > 3 or not _SHORT.issuperset(pair[0] + pair[1]):
        return None
    return struct.pack("8s3s", pair[0].ljust(8), pair[1].ljust(3))


def _legal(text: str) -> bytes:
    letters = text.upper().replace(" ", "").replace(".", "").encode("ascii", "replace")
    return bytes(byte if byte in _SHORT else ord("_") for byte in letters)
