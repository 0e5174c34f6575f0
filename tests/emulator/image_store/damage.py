"""File systems with bytes changed."""

import struct
from dataclasses import dataclass

from tests.emulator.image_store.images import Part


@dataclass(frozen=True)
class spoiled:  # noqa: N801 - reads like the function that it stands for
    """Another partition with some bytes changed."""

    part: Part
    at: int
    value: bytes

    @property
    def size(self) -> int:
        return self.part.size

    def read(self, offset: int, length: int) -> bytes:
        data = bytearray(self.part.read(offset, length))
        for index, byte in enumerate(self.value, self.at - offset):
            if 0 <= index < len(data):
                data[index] = byte
        return bytes(data)


def volume_record(path: str, start: int = 0) -> int:
    """Where the file record of an NTFS's $Volume is, as ntfsinfo would find it."""
    boot = Part(path).read(start, 512)
    [table] = struct.unpack_from("<Q", boot, 48)
    return table * 512 * boot[13] + 3 * 1024


def mark_dirty(path: str, start: int = 0) -> None:
    """Set the mark that Windows sets on an NTFS that wants to be checked."""
    at = start + volume_record(path, start)
    record = Part(path).read(at, 1024)
    boot = Part(path).read(start, 512)
    [mirror] = struct.unpack_from("<Q", boot, 56)
    begin = record.index(struct.pack("<I", 0x70), 56)  # the attribute $VOLUME_INFORMATION
    [value] = struct.unpack_from("<H", record, begin + 20)
    with open(path, "r+b") as file:
        for copy in (at, start + mirror * 512 * boot[13] + 3 * 1024):
            file.seek(copy + begin + value + 10)
            file.write(b"\x01")
