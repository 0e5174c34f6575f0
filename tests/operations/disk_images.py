"""Images with a table as another tool could have made it, byte for byte where a test wants it."""

import struct
import uuid
from dataclasses import dataclass, replace

from tests.emulated import MIB, EmulatedNode, Staged

from csiproxy.emulator import gpt, image, mbr
from csiproxy.emulator.image import Image


@dataclass(frozen=True)
class Slice:
    """A partition: bytes, and whether Windows makes a volume of it."""

    offset: int
    size: int
    is_data: bool = True

    @property
    def end(self) -> int:
        return self.offset + self.size


LINUX = "0fc63daf-8483-4772-8e79-3d69d8477de4"


def with_gpt(path: str, size: int, *slices: Slice, sector_size: int = 512) -> str:
    """A GPT disk with exactly these partitions, aligned to nothing but sectors."""
    image.create(path, size)
    opened = Image(path)
    table = gpt.blank(size, str(uuid.uuid4()), sector_size)
    entries = tuple(
        gpt.Entry(
            gpt.BASIC_DATA if one.is_data else LINUX,
            str(uuid.uuid4()),
            one.offset // sector_size,
            one.end // sector_size - 1,
        )
        for one in slices
    )
    gpt.write(opened, replace(table, entries=(*entries, *table.entries[len(entries) :])))
    opened.close()
    return path


def with_mbr(path: str, size: int, *slices: Slice, signature: int = 0x1234ABCD) -> str:
    """An MBR disk with exactly these primary partitions."""
    image.create(path, size)
    opened = Image(path)
    mbr.initialize(opened, signature)
    entries = tuple(
        mbr.Entry(mbr.IFS if one.is_data else 0x83, one.offset // 512, one.size // 512) for one in slices
    )
    free = (None,) * (mbr.PRIMARY_SLOTS - len(entries))
    mbr.write(opened, mbr.Table(signature, (*entries, *free)))
    opened.close()
    return path


def with_extended(
    path: str, size: int, *slices: Slice, container: Slice, ahead: int = MIB, kind: int = 0x0F
) -> str:
    """An MBR disk with an extended partition, and the slices that lie in it as logical ones.

    Each record but the first, which the container begins with, lies ``ahead`` bytes before its partition.
    """
    primary = [one for one in slices if not container.offset < one.offset < container.end]
    logical = [one for one in slices if one not in primary]
    with_mbr(path, size, *primary)
    opened = Image(path)
    table = mbr.read(opened)
    extended = mbr.Entry(kind, container.offset // 512, container.size // 512)
    slots = (*[entry for entry in table.primary if entry], extended, None, None, None)
    mbr.write(opened, replace(table, primary=slots[: mbr.PRIMARY_SLOTS]))
    places = [container.offset, *(one.offset - ahead for one in logical[1:])]
    for at, one, following in zip(places, logical, [*places[1:], None], strict=False):
        link = b"" if following is None else _entry(5, following - container.offset, ahead + MIB)
        record = _entry(mbr.IFS, one.offset - at, one.size) + link
        opened.write(at, bytes(446) + record.ljust(64, b"\0") + b"\x55\xaa")
    opened.close()
    return path


def _entry(kind: int, offset: int, size: int) -> bytes:
    return struct.pack("<B3sB3sII", 0, bytes(3), kind, bytes(3), offset // 512, size // 512)


def staged(node: EmulatedNode, path: str, **options) -> list[Staged]:
    """Attach an image; its volumes by offset."""
    number = node.machine.disks.attach(path, **options)
    return [Staged(node, number, volume.id) for volume in node.operations().disk.volumes_of(number)]
