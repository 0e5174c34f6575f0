"""Disk 0 of an emulated node: an EFI system partition, the reserved partition, and ``C:``."""

import os
from collections.abc import Callable
from dataclasses import replace

from csiproxy.emulator import boot_sector, gpt, image
from csiproxy.emulator.boot_sector import BootSector
from csiproxy.emulator.directory_volume import DirectoryVolume
from csiproxy.emulator.image import Image, win32_error
from csiproxy.emulator.partition_table import DATA_NAME, MIB, MSR_NAME, Layout, Partition

SYSTEM_DISK_SIZE = 64 << 30
MIN_SYSTEM_DISK = 256 * MIB
_ESP_SIZE = 100 * MIB
_MSR_SIZE = 16 * MIB


def create_system_disk(path: str, size: int, fresh_guid: Callable[[], str]) -> None:
    """Make the image of disk 0: whole or not at all.  One that exists already is left alone."""
    if os.path.lexists(path):
        return
    work = path + ".new"
    try:
        if os.path.lexists(work):
            os.unlink(work)
    except OSError as error:
        raise win32_error(error, "DeleteFileW", work) from error
    image.create(work, max(size, MIN_SYSTEM_DISK))
    disk = Image(work)
    try:
        _fill(disk, fresh_guid, path + ".d")
        os.rename(work, path)
    except OSError as error:
        raise win32_error(error, "MoveFileExW", path) from error
    finally:
        disk.close()


def boot_partition(layout: Layout) -> Partition | None:
    """The partition of ``C:``: the first that holds data."""
    return next((part for part in layout.partitions if part.type == gpt.BASIC_DATA), None)


def _fill(disk: Image, fresh_guid: Callable[[], str], root: str) -> None:
    table = gpt.blank(disk.size, fresh_guid())
    first = MIB // image.SECTOR
    msr = first + _ESP_SIZE // image.SECTOR
    data = msr + _MSR_SIZE // image.SECTOR
    end = disk.size // MIB * MIB // image.SECTOR - first
    entries = (
        gpt.Entry(gpt.EFI_SYSTEM, fresh_guid(), first, msr - 1, name="EFI system partition"),
        gpt.Entry(gpt.MICROSOFT_RESERVED, fresh_guid(), msr, data - 1, name=MSR_NAME),
        gpt.Entry(gpt.BASIC_DATA, fresh_guid(), data, end - 1, name=DATA_NAME),
    )
    gpt.write(disk, replace(table, entries=entries + table.entries[len(entries) :]))
    esp, volume = entries[0], entries[2]
    partition = Partition(0, MIB, _ESP_SIZE)
    DirectoryVolume(disk, partition, esp.guid, root).format("FAT32", "", 0)
    # The files of C: are where the node's owner has them, and are not to be emptied: the tag alone.
    disk.write(volume.first * image.SECTOR, boot_sector.encode(BootSector(volume.guid, "NTFS")))
    disk.sync()
