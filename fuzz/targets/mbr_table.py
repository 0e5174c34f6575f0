"""Master boot records on a disk of any content: :mod:`csiproxy.emulator.mbr`, and the layout made of them.

An input is a byte that chooses the disk's size, and the disk's sectors.
"""

from collections.abc import Iterable

from csiproxy.emulator import mbr
from csiproxy.emulator.mbr import Entry, MbrError, Table
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets import layouts
from fuzz.targets.memory_disk import SIZES, MemoryDisk, piece, pieces

_EXTENDED = 0x05


def run(data: bytes) -> None:
    """A record is refused, or sound; then it can be written and is read again as it was."""
    cuts = Cuts(data)
    choices = cuts.number()
    disk = MemoryDisk(SIZES[choices & 7])
    if choices & 8:
        disk.write(510, b"\x55\xaa")
    disk.furnish(cuts)
    layouts.run(disk)
    try:
        table = mbr.read(disk)
    except MbrError as error:
        demand(len(str(error)) < 300, "a refusal can be shown")
        return
    _sound(table, disk)
    mbr.write(disk, table)
    demand(mbr.read(disk) == table, "what was written is read")


def _sound(table: Table, disk: MemoryDisk) -> None:
    demand(len(table.logical) <= mbr.MAX_LOGICAL, "logical partitions are bounded")
    sectors = disk.size // 512
    end = 0
    for entry in table.partitions:
        demand(
            end < entry.first <= entry.last < sectors,
            f"partitions are on the disk, one behind the other {entry}",
        )
        end = entry.last
    for entry in table.logical:
        demand(any(box.first < entry.first and entry.last <= box.last for box in table.containers),
               "a logical partition is in an extended one")  # fmt: skip


def seeds() -> Iterable[bytes]:
    """Primary partitions alone, and with one, two and endless logical ones."""
    disk = MemoryDisk(SIZES[0])
    mbr.initialize(disk, 0x1234ABCD)
    data = Entry(mbr.IFS, 2048, 2048, active=True)
    mbr.write(disk, Table(0x1234ABCD, (data, Entry(_EXTENDED, 8192, 8192), None, None)))
    record = b"\0" + pieces(disk, 0, 512)
    yield record
    yield record + _logical(8192, 63, 1000, 0)
    yield record + _logical(8192, 63, 1000, 2000) + _logical(10192, 63, 100, 0)
    yield record + _logical(8192, 63, 1000, 2000) + _logical(10192, 63, 100, 2000)
    yield b"\x08" + piece(0, 446, bytes((0, 0, 0, 0, 0xEE, 0, 0, 0, 1, 0, 0, 0, 255, 0, 0, 0)))
    yield b"\x0f" + piece(0, 446, bytes((0x80, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 255, 255, 255, 255)))
    yield b"\x08" + piece(0, 0, b"\xeb\0\x90NTFS    ")


def _logical(at: int, first: int, sectors: int, next_at: int) -> bytes:
    entries = b""
    for kind, begin, count in ((7, first, sectors), (_EXTENDED, next_at, sectors if next_at else 0)):
        entries += (
            bytes((0, 0, 0, 0, kind, 0, 0, 0)) + begin.to_bytes(4, "little") + count.to_bytes(4, "little")
        )
    return piece(at, 446, entries) + piece(at, 510, b"\x55\xaa")
