"""NTFS as it stands on the partition: size, cluster, label, and the mark that it wants to be checked.

Offsets are those of the boot sector, of a file record and of its attributes, as ``ntfs-3g``'s layout.h and
Microsoft's "NTFS on-disk structures" (the file system's driver kit) give them.
"""

import struct

from csiproxy.emulator.image_store.facts import Bytes, Facts, Unreadable, exactly

# The file record that holds the volume's name and flags ($Volume).
_VOLUME_RECORD = 3
_VOLUME_NAME, _VOLUME_INFORMATION, _END = 0x60, 0x70, 0xFFFFFFFF
_DIRTY = 0x0001
_LARGEST_CLUSTER = 2 << 20
_LARGEST_RECORD = 64 << 10
_STRIDE = 512


def read(device: Bytes) -> Facts:
    """Read the boot sector and the record of the volume.  Raises Unreadable, Win32Error."""
    boot = exactly(device, 0, 512, "the boot sector")
    sector, per_cluster = struct.unpack_from("<HB", boot, 11)
    sectors, table = struct.unpack_from("<QQ", boot, 40)
    # From 0x80 on the number of sectors is a power of two, stored as its negative exponent.
    cluster = sector * per_cluster if per_cluster <= 0x80 else sector << (256 - per_cluster)
    if sector not in (512, 1024, 2048, 4096) or not sector <= cluster <= _LARGEST_CLUSTER:
        raise Unreadable("the boot sector gives no possible sector or cluster size")
    if not 0 < sectors * sector <= device.size:
        raise Unreadable("the boot sector gives a size beyond the partition's end")
    length = _record_size(boot[64], cluster)
    record = exactly(device, table * cluster + _VOLUME_RECORD * length, length, "the file table")
    label, dirty = _volume(_mended(record))
    return Facts(sectors * sector, cluster, label, dirty)


def _record_size(code: int, cluster: int) -> int:
    """Bytes of a file record: so many clusters, or a power of two."""
    size = code * cluster if code < 0x80 else 1 << (256 - code)
    if not _STRIDE <= size <= _LARGEST_RECORD:
        raise Unreadable("the boot sector gives no possible size of file records")
    return size


def _mended(record: bytes) -> bytes:
    """A record with the last bytes of each 512 put back, where its update sequence keeps them."""
    if record[:4] != b"FILE":
        raise Unreadable("the volume's file record is missing")
    at, count = struct.unpack_from("<HH", record, 4)
    if count != len(record) // _STRIDE + 1 or at + 2 * count > _STRIDE:
        raise Unreadable("the volume's file record has no update sequence")
    number = record[at : at + 2]
    mended = bytearray(record)
    for index in range(1, count):
        end = index * _STRIDE
        if record[end - 2 : end] != number:
            raise Unreadable("the volume's file record was half written")
        mended[end - 2 : end] = record[at + 2 * index : at + 2 * index + 2]
    return bytes(mended)


def _volume(record: bytes) -> tuple[str, bool]:
    """The label, and whether the volume is dirty."""
    label, flags = "", None
    (at,) = struct.unpack_from("<H", record, 20)
    while at + 24 <= len(record):
        kind, length = struct.unpack_from("<II", record, at)
        if kind == _END:
            break
        size, offset = struct.unpack_from("<IH", record, at + 16)
        value = record[at + offset : at + offset + size]
        if length < 24 or offset + size > length or at + length > len(record) or record[at + 8]:
            raise Unreadable("the volume's file record does not hold")
        if kind == _VOLUME_NAME:
            label = value.decode("utf-16-le", "replace")
        elif kind == _VOLUME_INFORMATION and size >= 12:
            (flags,) = struct.unpack_from("<H", value, 10)
        at += length
    if flags is None:
        raise Unreadable("the volume's file record says nothing of the volume")
    return label, bool(flags & _DIRTY)
