"""A FAT32 volume's bytes: where everything is, the allocation table, and chains of clusters.

Microsoft, "FAT: General Overview of On-Disk Format" (fatgen103), sections 3 to 5.
"""

import errno
import os
import struct
import sys
from array import array
from dataclasses import dataclass

END = 0x0FFFFFFF
_LEAST_END = 0x0FFFFFF8
_NUMBER = 0x0FFFFFFF
_CLOSED_WELL = 0x08000000
_ENTRIES = 128  # numbers in 512 bytes of the table
_ONE_COPY, _ACTIVE_COPY = 0x80, 0x0F
_INFO_LEAD, _INFO_BODY, _INFO_TAIL = 0x41615252, 0x61417272, 0xAA550000


def failed(number: int) -> OSError:
    """An OSError of that number."""
    return OSError(number, os.strerror(number))


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where things are, in bytes from the volume's begin."""

    cluster: int  # bytes of one
    clusters: int  # how many hold data; the first has the number 2
    table: int  # the first copy of the table
    table_size: int
    copies: tuple[int, ...]  # which copies are kept up to date
    data: int
    root: int  # the number of the root directory's first cluster
    info: int  # the sector with the count of free clusters; 0: there is none


def geometry(boot: bytes, size: int) -> Geometry:
    """Read a boot sector; one that is no sound FAT32's is an OSError (EINVAL)."""
    sector, per_cluster, reserved, copies = struct.unpack_from("<HBHB", boot, 11)
    sectors, table_sectors, flags = struct.unpack_from("<IIH", boot, 32)
    root, info = struct.unpack_from("<IH", boot, 44)
    if (
        sector not in (512, 1024, 2048, 4096)
        or not per_cluster
        or not (reserved and copies and table_sectors)
    ):
        raise failed(errno.EINVAL)
    cluster, table, table_size = sector * per_cluster, reserved * sector, table_sectors * sector
    data = table + copies * table_size
    clusters = (min(sectors * sector, size) - data) // cluster
    clusters = min(clusters, table_size // 4 - 2)
    if clusters < 1 or not 2 <= root < clusters + 2 or sectors * sector > size:
        raise failed(errno.EINVAL)
    kept = (flags & _ACTIVE_COPY,) if flags & _ONE_COPY else tuple(range(copies))
    if kept[0] >= copies:
        raise failed(errno.EINVAL)
    at_info = info * sector if 0 < info < reserved else 0
    return Geometry(cluster, clusters, table, table_size, kept, data, root, at_info)


class Volume:
    """An open volume.  ``device`` is a descriptor of it, which stays the caller's.

    Chains are lists of cluster numbers, in memory as long as somebody has them.  OSError: EIO where the table
    does not hold, ENOSPC where no cluster is free, and what the device says.
    """

    def __init__(self, device: int, *, read_only: bool) -> None:
        self._device = device
        self.read_only = read_only
        self.geometry = at = geometry(self._read(0, 512), os.lseek(device, 0, os.SEEK_END))
        self._table = array("I")
        self._table.frombytes(self._read(at.table + at.copies[0] * at.table_size, 4 * (at.clusters + 2)))
        if sys.byteorder == "big":
            self._table.byteswap()
        self._changed: set[int] = set()  # which 512 bytes of the table
        self.free = self._table.count(0)
        self._next = 2
        self._was_closed_well = bool(self._table[1] & _CLOSED_WELL)
        if not read_only:
            self._mark(closed_well=False)

    # --- the table

    def chain(self, first: int) -> list[int]:
        """The clusters of what begins with this one; 0 has none."""
        found: list[int] = []
        number = first
        while first and number < _LEAST_END:
            if not 2 <= number < len(self._table) or len(found) > self.geometry.clusters:
                raise failed(errno.EIO)
            found.append(number)
            number = self._table[number] & _NUMBER
        return found

    def extend(self, chain: list[int], count: int) -> None:
        """Add so many free clusters to a chain, all or none."""
        if count > self.free:
            raise failed(errno.ENOSPC)
        for _ in range(count):
            number = self._find_free()
            self._set(number, END)
            if chain:
                self._set(chain[-1], number)
            chain.append(number)
            self.free -= 1
            self._next = number + 1

    def cut(self, chain: list[int], count: int) -> None:
        """Leave a chain its first clusters and free the others."""
        for number in chain[count:]:
            self._set(number, 0)
        self.free += len(chain) - len(chain[:count])
        del chain[count:]
        if chain:
            self._set(chain[-1], END)

    def write_table(self) -> None:
        """Write what has changed of the table to its copies."""
        if not self._changed:
            return
        at = self.geometry
        for index in sorted(self._changed):
            part = self._table[index * _ENTRIES : (index + 1) * _ENTRIES]
            if sys.byteorder == "big":
                part.byteswap()
            for copy in at.copies:
                self._write(at.table + copy * at.table_size + 512 * index, part.tobytes())
        self._changed.clear()

    def _find_free(self) -> int:
        try:
            return self._table.index(0, self._next)
        except ValueError:
            return self._table.index(0, 2)

    def _set(self, number: int, value: int) -> None:
        # The upper four bits are reserved and stay as they are.
        self._table[number] = self._table[number] & ~_NUMBER | value
        self._changed.add(number // _ENTRIES)

    # --- data

    def read(self, chain: list[int], offset: int, length: int) -> bytes:
        """Bytes of a chain; fewer at its end."""
        return b"".join(self._read(at, size) for at, size in self._runs(chain, offset, length))

    def write(self, chain: list[int], offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write bytes within a chain."""
        view = memoryview(data)
        for at, size in self._runs(chain, offset, len(view)):
            self._write(at, view[:size])
            view = view[size:]

    def _runs(self, chain: list[int], offset: int, length: int) -> list[tuple[int, int]]:
        """Where bytes of a chain are on the device, in as few pieces as can be."""
        at = self.geometry
        runs: list[tuple[int, int]] = []
        end = min(offset + length, len(chain) * at.cluster)
        while offset < end:
            index, inside = divmod(offset, at.cluster)
            size = min(at.cluster - inside, end - offset)
            begin = at.data + (chain[index] - 2) * at.cluster + inside
            if runs and sum(runs[-1]) == begin:
                runs[-1] = (runs[-1][0], runs[-1][1] + size)
            else:
                runs.append((begin, size))
            offset += size
        return runs

    # --- its end

    def sync(self) -> None:
        """Have the device hold everything, the count of free clusters too."""
        if self.read_only:
            return
        self.write_table()
        self._write_info()
        os.fsync(self._device)

    def close(self) -> None:
        """Mark it as closed well, unless it was not so before; nothing is written to it from here on."""
        if not self.read_only:
            self._mark(closed_well=self._was_closed_well)
            self.sync()
            self.read_only = True

    def _mark(self, *, closed_well: bool) -> None:
        self._table[1] = self._table[1] | _CLOSED_WELL if closed_well else self._table[1] & ~_CLOSED_WELL
        self._changed.add(0)
        self.write_table()

    def _write_info(self) -> None:
        at = self.geometry.info
        if not at:
            return
        sector = bytearray(self._read(at, 512))
        if struct.unpack_from("<I", sector, 0)[0] != _INFO_LEAD:
            return
        struct.pack_into("<III", sector, 484, _INFO_BODY, self.free, self._next)
        struct.pack_into("<I", sector, 508, _INFO_TAIL)
        self._write(at, sector)

    def _read(self, offset: int, length: int) -> bytes:
        os.lseek(self._device, offset, os.SEEK_SET)
        data = os.read(self._device, length)
        if len(data) != length:
            raise failed(errno.EIO)
        return data

    def _write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        os.lseek(self._device, offset, os.SEEK_SET)
        if os.write(self._device, data) != len(data):
            raise failed(errno.EIO)
