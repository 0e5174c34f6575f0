"""FAT32 as it stands on the partition: size, cluster, label, and the mark that it wants to be checked.

Microsoft, "FAT: General Overview of On-Disk Format" (fatgen103), sections 3, 4 and 6.
"""

import struct
from collections.abc import Iterator

from csiproxy.emulator.image_store.facts import Bytes, Facts, Unreadable, exactly

_LAST = 0x0FFFFFF8
# FAT[1]: these are set while the volume is closed well, and while no error was met.
_CLOSED_WELL, _NO_ERROR = 0x08000000, 0x04000000
_VOLUME_ID, _LONG_NAME, _KINDS = 0x08, 0x0F, 0x3F
_ENTRY = 32
_FREE, _NO_MORE = 0xE5, 0x00
# The label is looked for in so many entries of the root directory; Windows writes it first.
_MOST_CLUSTERS = 64
# Linux and Windows both keep the mark in the boot sector, too.
_STATE_AT, _STATE_DIRTY = 65, 0x01


def read(device: Bytes) -> Facts:
    """Read the boot sector, the first entries of the table, and the root directory.

    Raises Unreadable, Win32Error.
    """
    boot = exactly(device, 0, 512, "the boot sector")
    sector, per_cluster, reserved, tables = struct.unpack_from("<HBHB", boot, 11)
    sectors, table_sectors = struct.unpack_from("<II", boot, 32)
    (root,) = struct.unpack_from("<I", boot, 44)
    cluster = sector * per_cluster
    if sector not in (512, 1024, 2048, 4096) or not per_cluster or per_cluster & (per_cluster - 1):
        raise Unreadable("the boot sector gives no possible sector or cluster size")
    if not (reserved and tables and table_sectors) or not 0 < sectors * sector <= device.size:
        raise Unreadable("the boot sector gives a size beyond the partition's end")
    table = reserved * sector
    data = table + tables * table_sectors * sector
    (state,) = struct.unpack("<I", exactly(device, table + 4, 4, "the table"))
    dirty = bool(~state & (_CLOSED_WELL | _NO_ERROR)) or bool(boot[_STATE_AT] & _STATE_DIRTY)
    label = ""
    for number in _chain(device, table, root):
        entries = exactly(device, data + (number - 2) * cluster, cluster, "the root directory")
        found = _label(entries)
        if found is not None:
            label = found
            break
    return Facts(sectors * sector, cluster, label, dirty)


def _chain(device: Bytes, table: int, first: int) -> Iterator[int]:
    """The first clusters of a directory."""
    number = first
    for _ in range(_MOST_CLUSTERS):
        if number < 2:
            raise Unreadable("the root directory has no clusters")
        if number >= _LAST:
            return
        yield number
        entry = exactly(device, table + 4 * number, 4, "the table")
        number = struct.unpack("<I", entry)[0] & 0x0FFFFFFF


def _label(entries: bytes) -> str | None:
    """The label in a cluster of the root directory; None when it may be in the next one."""
    for at in range(0, len(entries), _ENTRY):
        first, kind = entries[at], entries[at + 11] & _KINDS
        if first == _NO_MORE:
            return ""
        if first != _FREE and kind != _LONG_NAME and kind & _VOLUME_ID:
            return entries[at : at + 11].decode("cp437").rstrip(" ")
    return None
