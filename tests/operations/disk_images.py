"""Images with a table as another tool could have made it, byte for byte where a test wants it."""

import uuid
from dataclasses import dataclass, replace

from tests.emulated import EmulatedNode, Staged

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


def staged(node: EmulatedNode, path: str, **options) -> list[Staged]:
    """Attach an image; its volumes by offset."""
    number = node.machine.disks.attach(path, **options)
    return [Staged(node, number, volume.id) for volume in node.operations().disk.volumes_of(number)]
