"""A disk in memory that an input furnishes, and that counts what is read from it."""

from csiproxy.emulator.image import MAX_SIZE, MIN_SIZE, SECTOR
from fuzz.broken import demand
from fuzz.cuts import Cuts

_PAGE = 4096
_MOST_READ = 64 << 20
SIZES = (64 << 20, 3 << 20, (64 << 20) + 5 * SECTOR, MIN_SIZE, 4 << 30, MAX_SIZE, MIN_SIZE + SECTOR, 3 << 40)


class MemoryDisk:
    """Sectors (:class:`csiproxy.emulator.image.Sectors`): zero wherever nothing was written."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pages: dict[int, bytes] = {}
        self._read = 0

    @property
    def size(self) -> int:
        """Bytes, a multiple of 512."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """As an image reads; all together at most some mebibytes, however the disk is furnished."""
        demand(offset >= 0 and length >= 0, "nothing is read before the begin")
        self._read += length
        demand(self._read <= _MOST_READ, "little is read of a disk")
        end = min(offset + length, self._size)
        out = bytearray()
        while offset < end:
            page, within = divmod(offset, _PAGE)
            part = self._pages.get(page, bytes(_PAGE))[within : within + end - offset]
            out += part
            offset += len(part)
        return bytes(out)

    def write(self, offset: int, data: bytes) -> None:
        """As an image writes; beyond the end is a broken promise."""
        demand(offset >= 0 and offset + len(data) <= self._size, "nothing is written outside the disk")
        while data:
            page, within = divmod(offset, _PAGE)
            old = self._pages.get(page, bytes(_PAGE))
            part = data[: _PAGE - within]
            self._pages[page] = old[:within] + part + old[within + len(part) :]
            data, offset = data[len(part) :], offset + len(part)

    def sync(self) -> None:
        """Nothing is ever lost."""

    def furnish(self, cuts: Cuts) -> None:
        """Write an input's pieces: a sector from the begin or, negative, from the end; where in it; what."""
        while cuts:
            sector = cuts.number(2)
            sector -= 1 << 16 if sector >> 15 else 0
            at = sector * SECTOR + cuts.number(2) % SECTOR + (self._size if sector < 0 else 0)
            piece = cuts.take(cuts.number())
            if 0 <= at < self._size:
                self.write(at, piece[: self._size - at])


def piece(sector: int, within: int, data: bytes) -> bytes:
    """The input that makes :meth:`MemoryDisk.furnish` write this; at most 255 bytes."""
    return (sector % (1 << 16)).to_bytes(2, "big") + within.to_bytes(2, "big") + bytes((len(data),)) + data


def pieces(disk: MemoryDisk, offset: int, length: int, from_end: bool = False) -> bytes:
    """The input that furnishes these sectors as they are on a disk, without what is zero."""
    out = b""
    for at in range(offset, offset + length, 128):
        data = disk.read(at, 128).rstrip(b"\0")
        if data:
            sector, within = divmod(at, SECTOR)
            out += piece(sector - (disk.size // SECTOR if from_end else 0), within, data)
    return out
