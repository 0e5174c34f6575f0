"""What a volume is to the node, wherever its files are.

There are two stores of volumes: :mod:`csiproxy.emulator.directory_volume` keeps the files beside the image
and needs no privileges, :mod:`csiproxy.emulator.image_store` puts a real file system into the partition.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from csiproxy.emulator.file_systems import FileSystem
from csiproxy.emulator.image import Image, Medium
from csiproxy.emulator.partition_table import Partition
from csiproxy.errors import Win32Error, WindowsCode

DEFAULT_CLUSTER = 4096


class StoreKind(Enum):
    """Where a node keeps the files of its volumes."""

    DIRECTORY = "directory"
    IMAGE = "image"


class Condition(Enum):
    """What can be done with a volume."""

    RAW = "not formatted"
    READY = "formatted, and its files can be reached"
    FOREIGN = "formatted with what this store of volumes cannot show"
    DAMAGED = "formatted, and part of it is missing or cannot be read"


@dataclass(frozen=True, slots=True)
class Content:
    """What is on a volume.

    ``problem`` says what is wrong, and what to do, unless it is RAW or READY.  ``directory`` is where the
    host has the files of a volume that is READY.  ``dirty`` is the file system's own mark that it was not
    closed and wants to be checked.
    """

    condition: Condition
    file_system: FileSystem | None = None
    label: str = ""
    cluster: int = 0
    problem: str = ""
    directory: str = ""
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class Statistics:
    """Bytes of the file system, and of these the ones in use (never more than all)."""

    size: int
    used: int


class Volume(Protocol):
    """A partition with a volume, as it is now.  Failures are Win32Error unless something else is said.

    ``place``, where it is not empty, is the host directory that holds the files because it is a drive's.
    """

    @property
    def image(self) -> Medium:
        """The disk it is on."""
        ...

    @property
    def partition(self) -> Partition:
        """The bytes of the disk that it has."""
        ...

    @property
    def guid(self) -> str:
        r"""The one in ``\\?\Volume{guid}\``."""
        ...

    @property
    def place(self) -> str:
        """The host directory of the drive that it is; else empty."""
        ...

    @property
    def name(self) -> str:
        r"""``\\?\Volume{guid}\``: MSFT_Volume.UniqueId and Path."""
        ...

    @property
    def formats(self) -> Mapping[str, FileSystem]:
        """What Format can put on it, by the name that MSFT_Volume.Format takes, in capitals."""
        ...

    def content(self) -> Content:
        """What is on it now."""
        ...

    def directory(self) -> str:
        """The host directory that holds the files, made reachable if need be.

        1005: not formatted, or with what cannot be shown here; 1393: damaged.
        """
        ...

    def files(self) -> str:
        """The same directory where the files can be reached at once; else empty.  Never fails."""
        ...

    def format(self, file_system: str, label: str, cluster: int) -> None:
        """Make it empty with one of ``formats``, whatever is on it; a ``cluster`` of 0 is the usual size.

        A kill leaves it either unformatted or formatted, and formatting again finishes the job.
        """
        ...

    def relabel(self, label: str) -> None:
        """Change the label alone, of a volume that is ready."""
        ...

    def flush(self) -> None:
        """Return when all that was written to a volume that is ready is safe from a loss of power."""
        ...

    def statistics(self, content: Content) -> Statistics:
        """How full it is.  Nothing is known of what is not ready: unformatted 0, the rest is called full."""
        ...

    def least_size(self, content: Content) -> int:
        """The fewest bytes that its partition may be cut to."""
        ...

    def before_resize(self) -> None:
        """Get ready for a partition of another size; a volume in use that cannot is 170."""
        ...

    def after_resize(self) -> None:
        """Give the file system the size that the partition has by now."""
        ...

    def mark_raw(self) -> None:
        """Make what this node has formatted unformatted; what it cannot show stays as it is."""
        ...

    def remove_files(self) -> None:
        """Delete what is left of a volume that is marked raw, after its partition has gone."""
        ...


class VolumeStore(Protocol):
    """What keeps the volumes of a node's data disks otherwise than beside their images."""

    def volume(self, image: Image, partition: Partition, guid: str, *, read_only: bool) -> Volume:
        """The volume on a partition."""
        ...

    def recover(self, images: Iterable[str]) -> None:
        """At a start, before these images are opened: take away what an earlier process of the node left."""
        ...

    def settle(self, volumes: Iterable[Volume], is_in_use: Callable[[str], bool]) -> None:
        """Let what is mounted be of the volumes that Windows surfaces now, and no others.

        ``is_in_use`` says of a volume's name whether a directory leads there, which mounts it.
        """
        ...

    def close(self) -> None:
        """Let go of everything, before the images are closed."""
        ...


def unusable(name: str, content: Content) -> Win32Error:
    """What Windows says to whoever wants the files of a volume that is not READY."""
    damaged = content.condition is Condition.DAMAGED
    code = WindowsCode.DISK_CORRUPT if damaged else WindowsCode.UNRECOGNIZED_VOLUME
    problem = content.problem or "it is not formatted"
    return Win32Error(code, "GetVolumeInformationByHandleW", f"{name}: {problem}")


def volume_name(guid: str) -> str:
    r"""The volume's name: ``\\?\Volume{guid}\``."""
    return f"\\\\?\\Volume{{{guid}}}\\"
