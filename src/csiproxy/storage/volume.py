r"""Volumes: MSFT_Volume and its partition.

https://learn.microsoft.com/windows-hardware/drivers/storage/msft-volume
"""

from dataclasses import dataclass
from enum import Enum

from csiproxy.errors import NotFound
from csiproxy.host.cim import Instance, Session
from csiproxy.storage.codes import expect, judged
from csiproxy.storage.disk import Partition, partition_of_instance


class FileSystem(Enum):
    """What this service can put on a volume: MSFT_Volume.Format's name and MSFT_Volume.FileSystem's."""

    NTFS = "NTFS"
    FAT32 = "FAT32"


@dataclass(frozen=True, slots=True)
class Volume:
    r"""A volume as Windows reports it.

    ``id`` is its UniqueId ``\\?\Volume{guid}\``; ``file_system`` is "" when the volume is raw.  Bytes.
    """

    id: str
    file_system: str
    is_formatted: bool
    size: int
    size_remaining: int
    instance: Instance


class Volumes:
    """The volumes of the node."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, volume_id: str) -> Volume | None:
        """The volume with that id now, or None."""
        with judged(f"read volume {volume_id}"):
            found = self._session.instances("MSFT_Volume", UniqueId=volume_id)
        return _volume(found[0]) if found else None

    def get(self, volume_id: str) -> Volume:
        """The volume with that id now; NotFound (1168) when there is none, or its disk is offline."""
        volume = self.find(volume_id)
        if volume is None:
            raise NotFound(f"there is no volume {volume_id}; if its disk is offline, bring it online")
        return volume

    def of_drive(self, letter: str) -> Volume:
        """The volume behind a drive letter."""
        with judged(f"read the volume of drive {letter}:"):
            found = self._session.instances("MSFT_Volume", DriveLetter=ord(letter.upper()))
        if not found:
            raise NotFound(f"there is no volume behind drive {letter}:")
        return _volume(found[0])

    def on_partition(self, partition: Partition) -> list[Volume]:
        """The volumes of a partition; none for a reserved partition or an offline disk."""
        with judged(f"list the volumes of partition {partition.number}"):
            found = self._session.associated(partition.instance, "MSFT_PartitionToVolume", "MSFT_Volume")
        return [_volume(instance) for instance in found]

    def partition(self, volume: Volume) -> Partition:
        """The partition that a volume is on."""
        with judged(f"find the partition of volume {volume.id}"):
            found = self._session.associated(volume.instance, "MSFT_PartitionToVolume", "MSFT_Partition")
        if not found:
            raise NotFound(f"volume {volume.id} is on no partition (any more)")
        return partition_of_instance(found[0])

    def format(self, volume: Volume, file_system: FileSystem) -> None:
        """Put an empty file system on a volume, quickly; what was on it is lost."""
        what = f"format volume {volume.id}"
        with judged(what):
            result = self._session.invoke(
                volume.instance,
                "Format",
                FileSystem=file_system.value,
                FileSystemLabel="",
                Full=False,
                Force=True,
            )
        expect(result, "MSFT_Volume.Format", what)

    def flush(self, volume: Volume) -> None:
        """Write what the host still holds in memory."""
        what = f"flush volume {volume.id}"
        with judged(what):
            result = self._session.invoke(volume.instance, "Flush")
        expect(result, "MSFT_Volume.Flush", what)


def _volume(instance: Instance) -> Volume:
    file_system = instance.text("FileSystem")
    return Volume(
        id=instance.text("UniqueId"),
        file_system=file_system,
        # The type is 0 for a raw volume, and for some file systems that have a name only, such as exFAT.
        is_formatted=instance.number("FileSystemType") != 0 or file_system.upper() not in ("", "RAW"),
        size=instance.number("Size"),
        size_remaining=instance.number("SizeRemaining"),
        instance=instance,
    )
