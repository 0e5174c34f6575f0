"""An emulated node in this process with the operations on it: what tests of storage and operations share."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from csiproxy import operations
from csiproxy.emulator import image
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.smb_shares import Show
from csiproxy.emulator.volume import StoreKind
from csiproxy.host import Host
from csiproxy.host.cim import Session
from csiproxy.host.win32 import Win32
from csiproxy.operations import Operations
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context
from csiproxy.storage import Storage

MIB = 1 << 20
GIB = 1 << 30
KUBELET = r"C:\var\lib\kubelet"
PLUGINS = KUBELET + r"\plugins\kubernetes.io\csi"
PODS = KUBELET + r"\pods"
NO_VOLUME = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"


class EmulatedNode:
    """One node below ``directory``.  Disks are small; their images lie beside the node.

    ``lifted`` are the guard rails that its operations are built without from then on.
    """

    def __init__(
        self, directory: Path, volumes: StoreKind | None = None, *, smb_files: Show = Show.NONE
    ) -> None:
        self.directory = directory
        self.lifted: tuple[str, ...] = ()
        self.volumes = volumes
        self.machine = Machine(str(directory / "node"), smb_files=smb_files, volumes=volumes)
        self.host = Host(self.machine.session, self.machine.win32)
        self.storage = Storage(self.host)

    def close(self) -> None:
        self.machine.close()

    def operations(
        self,
        *,
        cim: Session | None = None,
        win32: Win32 | None = None,
        allow_reformat: bool = False,
        working_dirs: tuple[str, ...] = (),
        require_privacy: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Operations:
        """Everything above this node, or above other halves of it."""
        host = Host(cim or self.machine.session, win32 or self.machine.win32)
        configuration = Configuration(
            KUBELET,
            working_dirs,
            PLUGINS,
            PODS,
            allow_reformat,
            require_privacy=require_privacy,
            lifted_rails=self.lifted,
        )
        return operations.build(host, configuration, sleep=sleep)

    # --- the host's side

    def on_host(self, path: str) -> str:
        """The host path of a path on drive C:."""
        return os.path.join(self.machine.directory, "c", *path.split("\\")[1:])

    def make(self, path: str, **files: str) -> str:
        """Make a directory on drive C: with files in it; the path again."""
        os.makedirs(self.on_host(path), exist_ok=True)
        for name, text in files.items():
            with open(os.path.join(self.on_host(path), name), "w") as file:
                file.write(text)
        return path

    def plant(self, path: str, target: str) -> str:
        """Make a symbolic link of the host's own, as a container could through a volume."""
        os.symlink(target, self.on_host(path))
        return path

    def names(self, path: str) -> list[str]:
        return sorted(os.listdir(self.on_host(path)))

    # --- the operator's side

    def attach(self, size: int = 64 * MIB, name: str = "", **options) -> int:
        path = str(self.directory / (name or f"disk{len(os.listdir(self.directory))}.img"))
        image.create(path, size)
        return self.machine.disks.attach(path, **options)

    def image_of(self, number: int) -> str:
        return next(disk.image for disk in self.machine.disks.inventory() if disk.number == number)

    def volume(self, size: int = 64 * MIB, *, formatted: bool = True, **options) -> "Staged":
        """A disk with one volume, NTFS unless it is to stay raw."""
        number = self.attach(size, **options)
        groups = self.operations()
        groups.disk.partition_disk(Context(), disk_number=number)
        [volume] = groups.volume.list_volumes_on_disk(
            Context(), disk_number=number, partition_number=0
        ).volume_ids
        if formatted:
            groups.volume.format_volume(Context(), volume_id=volume)
        return Staged(self, number, volume)


@dataclass(frozen=True)
class Staged:
    """A disk and its volume."""

    node: EmulatedNode
    disk: int
    id: str

    @property
    def files(self) -> str:
        """The host directory with the volume's files."""
        return self.node.machine.disks.volume_directory(self.id)

    def put(self, name: str, text: str = "data") -> None:
        with open(os.path.join(self.files, name), "w") as file:
            file.write(text)

    def detach(self) -> None:
        self.node.machine.disks.detach(self.disk)

    def write(self, data: bytes, at: int = 0) -> None:
        """Write into the partition, as another system would."""
        [partition] = [p for p in self.node.storage.disks.partitions(self.disk) if not p.is_reserved]
        with open(self.node.image_of(self.disk), "r+b") as file:
            file.seek(partition.offset + at)
            file.write(data)


def tree(path: str) -> dict[str, str]:
    """Everything below a host directory: what it is, and the text of files and links."""
    found = {}
    for base, directories, files in os.walk(path):
        for name in [*directories, *files]:
            at = os.path.join(base, name)
            if os.path.islink(at):
                text = f"link {os.readlink(at)}"
            elif os.path.isdir(at):
                text = "directory"
            elif not os.path.isfile(at):
                text = "neither file nor directory"
            else:
                with open(at) as file:
                    text = f"file {file.read()}"
            found[os.path.relpath(at, path)] = text
    return found
