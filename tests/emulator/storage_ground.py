"""A node's disks and CIM server in this process, on directories of the test."""

import os
import struct
from pathlib import Path

from csiproxy.emulator import disk, image
from csiproxy.emulator.disk import Disks
from csiproxy.emulator.session import EmulatedSession
from csiproxy.emulator.state import State
from csiproxy.host.cim import Instance, Result, Session

MIB = 1 << 20
GIB = 1 << 30
BASIC_DATA = "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}"


class StorageGround:
    """One node: ``state.db`` and ``system.img`` in ``directory``, images wherever a test puts them."""

    def __init__(self, directory: Path, seed: str = "test") -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)
        self.mounts: dict[str, list[str]] = {}
        self.state = State(str(directory / "state.db"), disk.SCHEMA)
        if seed:
            self.state.seed(seed)
        self.disks = Disks(self.state, str(directory), system_size=GIB)
        self.session: Session = EmulatedSession(self.disks, lambda volume: self.mounts.get(volume, []))

    def close(self) -> None:
        self.disks.close()
        self.state.close()

    def restart(self) -> "StorageGround":
        self.close()
        return StorageGround(self.directory, seed="")

    def image(self, name: str = "disk.img", size: int = 64 * MIB) -> str:
        path = str(self.directory / name)
        image.create(path, size)
        return path

    def attach(self, name: str = "disk.img", size: int = 64 * MIB, **options) -> int:
        return self.disks.attach(self.image(name, size), **options)

    # --- what a client of the CIM server does

    def disk(self, number: int) -> Instance:
        return self.session.instances("MSFT_Disk", Number=number)[0]

    def partitions(self, number: int) -> list[Instance]:
        return self.session.instances("MSFT_Partition", DiskNumber=number)

    def data_partition(self, number: int) -> Instance:
        return self.partitions(number)[-1]

    def volumes(self, number: int) -> list[Instance]:
        return [
            volume
            for partition in self.partitions(number)
            for volume in self.session.associated(partition, "MSFT_PartitionToVolume", "MSFT_Volume")
        ]

    def volume(self, number: int) -> Instance:
        return self.volumes(number)[0]

    def ok(self, target: Instance | str, method: str, **parameters) -> Result:
        result = self.session.invoke(target, method, **parameters)
        assert result.return_value == 0, (method, result.return_value, message(result))
        return result

    def partitioned(self, number: int, style: int = 2) -> int:
        """Initialise the disk and make one partition over all of it."""
        self.ok(self.disk(number), "Initialize", PartitionStyle=style)
        self.ok(self.disk(number), "CreatePartition", UseMaximumSize=True)
        return number

    def formatted(self, number: int, file_system: str = "NTFS", style: int = 2) -> str:
        """Partition and format the disk; the host directory of its volume."""
        self.partitioned(number, style)
        self.ok(self.volume(number), "Format", FileSystem=file_system)
        return self.disks.volume_directory(self.volume(number).text("UniqueId"))

    def put(self, number: int, data: bytes, at: int = 0) -> None:
        """Write into the data partition, as another system would."""
        offset = self.data_partition(number).number("Offset")
        with open(self.path(number), "r+b") as file:
            file.seek(offset + at)
            file.write(data)

    def path(self, number: int) -> str:
        return next(info.image for info in self.disks.inventory() if info.number == number)


def message(result: Result) -> str:
    """ExtendedStatus.Message."""
    status = result.instance("ExtendedStatus")
    return status.text("Message") if status else ""


def ext4_superblock() -> bytes:
    """What makes a partition ext4, from its byte 1024 on."""
    block = bytearray(1024)
    struct.pack_into("<H", block, 56, 0xEF53)
    struct.pack_into("<II", block, 92, 4, 0x40)
    return bytes(block)


def snapshot(directory: str) -> list[str]:
    """All names below a directory."""
    return sorted(
        os.path.join(base, name) for base, dirs, files in os.walk(directory) for name in [*dirs, *files]
    )
