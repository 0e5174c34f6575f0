"""exFAT as it stands on the partition: size, cluster, label, and the mark that it wants to be checked.

https://learn.microsoft.com/windows/win32/fileio/exfat-specification, sections 3.1, 6 and 7.3.
"""

import struct

from csiproxy.emulator.image_store.facts import Bytes, Facts, Unreadable, exactly

_DIRTY, _MEDIA_FAILURE = 0x0002, 0x0004
_LABEL, _NO_MORE = 0x83, 0x00
_ENTRY = 32
_LABEL_LENGTH = 11
_LARGEST_CLUSTER_SHIFT = 25


def read(device: Bytes) -> Facts:
    """Read the boot sector and the begin of the root directory.  Raises Unreadable, Win32Error."""
    boot = exactly(device, 0, 512, "the boot sector")
    (sectors,) = struct.unpack_from("<Q", boot, 72)
    heap, clusters, root = struct.unpack_from("<III", boot, 88)
    flags, sector_shift, cluster_shift = struct.unpack_from("<HBB", boot, 106)
    if not 9 <= sector_shift <= 12 or sector_shift + cluster_shift > _LARGEST_CLUSTER_SHIFT:
        raise Unreadable("the boot sector gives no possible sector or cluster size")
    if not 0 < sectors << sector_shift <= device.size:
        raise Unreadable("the boot sector gives a size beyond the partition's end")
    if not 2 <= root < clusters + 2:
        raise Unreadable("the root directory has no clusters")
    cluster = 1 << (sector_shift + cluster_shift)
    at = (heap << sector_shift) + (root - 2) * cluster
    # Whoever formats puts the label first, and no other place is ever given to it.
    label = _label(exactly(device, at, min(cluster, 4096), "the root directory"))
    return Facts(sectors << sector_shift, cluster, label, bool(flags & (_DIRTY | _MEDIA_FAILURE)))


def _label(entries: bytes) -> str:
    for at in range(0, len(entries), _ENTRY):
        if entries[at] == _NO_MORE:
            break
        if entries[at] == _LABEL:
            length = min(entries[at + 1], _LABEL_LENGTH)
            return entries[at + 2 : at + 2 + 2 * length].decode("utf-16-le", "replace")
    return ""
