"""MSFT_Volume: what its methods do, and each refusal with Windows' own code."""

import os

import pytest
from tests.emulator.disk_states import data_disk
from tests.emulator.documented_codes import check
from tests.emulator.storage_ground import GIB, MIB, StorageGround, ext4_superblock, message

from csiproxy.emulator import image
from csiproxy.host.cim import Instance


def test_what_is_foreign_is_never_formatted_nor_partitioned_over(storage):
    number = data_disk(storage)
    storage.partitioned(number)
    storage.put(number, ext4_superblock(), at=1024)
    with open(storage.path(number), "rb") as file:
        before = file.read()
    volume = storage.volume(number)
    refused = storage.session.invoke(volume, "Format", FileSystem="NTFS", Force=True)
    assert refused.return_value == 43014
    assert "ext4" in message(refused)
    assert (
        storage.session.invoke(storage.data_partition(number), "Resize", Size=20 * MIB).return_value == 42009
    )
    with open(storage.path(number), "rb") as file:
        assert file.read() == before
    whole = storage.directory / "whole.img"
    image.create(str(whole), 64 * MIB)
    with open(whole, "r+b") as file:
        file.seek(1024)
        file.write(ext4_superblock())
    other = storage.disks.attach(str(whole))
    refused = storage.session.invoke(storage.disk(other), "Initialize")
    assert (refused.return_value, "ext4" in message(refused)) == (4, True)


def volume_of(storage: StorageGround, kind: str) -> Instance:
    if kind == "boot":
        return storage.session.instances("MSFT_Volume", DriveLetter=ord("C"))[0]
    number = data_disk(storage, size=40 * GIB if kind == "large" else 64 * MIB)
    storage.partitioned(number)
    if kind not in ("raw", "large"):
        storage.ok(storage.volume(number), "Format", FileSystem="NTFS")
    found = storage.volume(number)
    if kind == "offline":
        storage.ok(storage.disk(number), "Offline")
    elif kind == "read-only":
        storage.ok(storage.disk(number), "SetAttributes", IsReadOnly=True)
    elif kind == "foreign":
        storage.put(number, ext4_superblock(), 1024)
        storage.put(number, bytes(1024))
    elif kind == "damaged":
        os.rename(storage.path(number) + ".d", storage.path(number) + ".away")
    return found


VOLUME_CODES = [
    ("raw", "Format", {}, 0),
    ("raw", "Format", {"FileSystem": "fat32", "FileSystemLabel": "ELEVEN CHAR"}, 0),
    ("raw", "Format", {"FileSystem": "ReFS"}, 43001),
    ("raw", "Format", {"FileSystem": ""}, 43001),
    ("raw", "Format", {"FileSystem": "FAT32", "FileSystemLabel": "twelve chars"}, 5),
    ("raw", "Format", {"FileSystemLabel": "x" * 33}, 5),
    ("raw", "Format", {"FileSystemLabel": "𝄞" * 16}, 0),
    ("raw", "Format", {"FileSystemLabel": "a\0b"}, 5),
    ("raw", "Format", {"FileSystemLabel": "\ud800"}, 5),
    ("raw", "Format", {"AllocationUnitSize": 65536}, 0),
    ("raw", "Format", {"AllocationUnitSize": 5000}, 43000),
    ("raw", "Format", {"AllocationUnitSize": 256}, 43000),
    ("raw", "Format", {"FileSystem": "FAT32", "AllocationUnitSize": 1 << 20}, 43000),
    ("raw", "Format", {"SetIntegrityStreams": False}, 5),
    ("raw", "Format", {"RunAsJob": True}, 1),
    ("formatted", "Format", {"Force": True, "Full": False}, 0),
    ("damaged", "Format", {}, 0),
    ("large", "Format", {"FileSystem": "FAT32"}, 4097),
    ("large", "Format", {"FileSystem": "NTFS"}, 0),
    ("read-only", "Format", {}, 43006),
    ("boot", "Format", {"Force": True}, 42010),
    ("offline", "Format", {}, 8),
    ("formatted", "Flush", {}, 0),
    ("boot", "Flush", {}, 0),
    ("read-only", "Flush", {}, 0),
    ("foreign", "Flush", {}, 0),
    ("raw", "Flush", {}, 4),
    ("damaged", "Flush", {}, 4),
    ("offline", "Flush", {}, 8),
    ("formatted", "SetFileSystemLabel", {"FileSystemLabel": "new"}, 0),
    ("formatted", "SetFileSystemLabel", {}, 0),
    ("raw", "SetFileSystemLabel", {"FileSystemLabel": "new"}, 4),
    ("read-only", "SetFileSystemLabel", {"FileSystemLabel": "new"}, 41002),
    ("offline", "SetFileSystemLabel", {"FileSystemLabel": "new"}, 8),
]


@pytest.mark.parametrize(("kind", "method", "parameters", "code"), VOLUME_CODES)
def test_a_volume_method_returns_windows_code(storage, kind, method, parameters, code):
    check(storage, volume_of(storage, kind), method, parameters, code)
