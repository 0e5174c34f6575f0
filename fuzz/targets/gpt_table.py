"""GUID partition tables on a disk of any content: :mod:`csiproxy.emulator.gpt`, and the layout made of them.

An input is a byte of choices (the disk's size, whether checksums are made right) and the disk's sectors.
"""

import uuid
import zlib
from collections.abc import Iterable
from dataclasses import replace

from csiproxy.emulator import gpt
from csiproxy.emulator.gpt import Entry, GptError, Half
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets import layouts
from fuzz.targets.memory_disk import SIZES, MemoryDisk, piece, pieces

DISK = "11111111-2222-4333-8444-555555555555"


def run(data: bytes) -> None:
    """A table is refused, or sound; then it can be written, and each half gives it again."""
    cuts = Cuts(data)
    choices = cuts.number()
    disk = MemoryDisk(SIZES[choices & 7])
    disk.furnish(cuts)
    if choices & 8:
        for sector_size in gpt.SECTOR_SIZES:
            for at in (1, disk.size // sector_size - 1):
                _repair(disk, at, sector_size)
    layouts.run(disk)
    try:
        table = gpt.read(disk)
    except GptError as error:
        demand(len(str(error)) < 3000, "a refusal can be shown")
        return
    _sound(table, disk)
    try:
        gpt.write(disk, table)
    except GptError:
        demand(gpt.fitted(table, disk.size).last_usable < max((e.last for e in table.partitions), default=0),
               "what was read can be written, unless the backup takes a partition's place")  # fmt: skip
        return
    written = replace(gpt.fitted(table, disk.size), source=Half.PRIMARY)
    demand(gpt.read(disk) == written, "what was written is read")
    disk.write(table.sector_size, bytes(8))
    backup = gpt.read(disk)
    demand(backup.source is Half.BACKUP, "without its primary a disk has its backup")
    demand(
        (backup.entries, backup.disk_guid) == (written.entries, written.disk_guid), "both halves are alike"
    )


def _sound(table: gpt.Table, disk: MemoryDisk) -> None:
    gpt.check(table)
    demand(0 < len(table.entries) <= gpt.MAX_ENTRIES, "the entries are bounded")
    sectors = disk.size // table.sector_size
    end = 0
    for part in table.partitions:
        demand(end < part.first <= part.last < sectors, "partitions are on the disk, one behind the other")
        end = part.last
    demand(
        len({part.guid for part in table.partitions}) == len(table.partitions), "no two have the same GUID"
    )
    demand(table.entries_at >= 2, "the entries are behind the header")


def _repair(disk: MemoryDisk, at: int, sector_size: int) -> None:
    """Make a header's place and checksums right, as an attacker would."""
    sector = bytearray(disk.read(at * sector_size, sector_size))
    if len(sector) < sector_size or sector[:8] != b"EFI PART":
        return
    length = int.from_bytes(sector[12:16], "little")
    entries_at, count, size = (
        int.from_bytes(sector[a:b], "little") for a, b in ((72, 80), (80, 84), (84, 88))
    )
    if length > sector_size or count * size > 1 << 20:
        return
    sector[24:32] = at.to_bytes(8, "little")
    sector[88:92] = zlib.crc32(disk.read(entries_at * sector_size, count * size)).to_bytes(4, "little")
    crc = zlib.crc32(bytes(sector[:16]) + bytes(4) + bytes(sector[20:length]))
    sector[16:20] = crc.to_bytes(4, "little")
    disk.write(at * sector_size, bytes(sector))


def seeds() -> Iterable[bytes]:
    """Good tables of both sector sizes, whole and by half, on disks of several sizes."""
    entries = (
        Entry(gpt.MICROSOFT_RESERVED, str(uuid.UUID(int=1)), 34, 2047, name="MSR"),
        Entry(gpt.BASIC_DATA, str(uuid.UUID(int=2)), 2048, 4095, gpt.HIDDEN, "data ö"),
    )
    for choice, sector_size in ((0, 512), (0, 4096), (2, 512), (4, 512)):
        disk = MemoryDisk(SIZES[choice])
        blank = gpt.blank(disk.size, DISK, sector_size)
        kept = entries if sector_size == 512 else entries[1:]
        gpt.write(disk, replace(blank, entries=(*kept, *blank.entries[len(kept) :])))
        begin = pieces(disk, 0, 3 * sector_size)
        end = pieces(disk, disk.size - 33 * 512, 33 * 512, from_end=True)
        for choices in (choice, choice | 8):
            yield bytes((choices,)) + begin + end
            yield bytes((choices,)) + begin
        yield bytes((choice,)) + pieces(disk, 0, 512) + end
        twice = Entry(gpt.BASIC_DATA, entries[1].guid, 8192, 8200)
        slot = (2 * sector_size + 128 * len(kept)) // 512
        raw = gpt._encode(twice)
        yield bytes((choice | 8,)) + begin + piece(slot, (2 * sector_size + 128 * len(kept)) % 512, raw)
