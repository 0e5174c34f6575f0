"""Volumes that are plain directories: the disks' side of the namespace, without disks."""

from collections.abc import Mapping

from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import StorageDevice

FIRST = r"\\?\Volume{00000000-0000-4000-8000-000000000001}" + "\\"
SECOND = r"\\?\Volume{00000000-0000-4000-8000-000000000002}" + "\\"
PHYSICAL_DRIVE = r"\\?\scsi#disk&ven_csiproxy#0001"


class PlainVolumes:
    """Volumes by name; take one out of ``directories`` and it has vanished."""

    def __init__(self, directories: Mapping[str, str]) -> None:
        self.directories = dict(directories)

    def volume_directory(self, volume: str) -> str:
        try:
            return self.directories[volume]
        except KeyError:
            raise Win32Error(WindowsCode.NOT_FOUND, "GetVolumeInformationW", "no such volume") from None

    def known_volume_directories(self) -> Mapping[str, str]:
        return {directory: volume for volume, directory in self.directories.items()}

    def storage_device(self, path: str) -> StorageDevice:
        if path != PHYSICAL_DRIVE:
            raise Win32Error(WindowsCode.FILE_NOT_FOUND, "CreateFileW", "no such disk")
        return StorageDevice(1, ())
