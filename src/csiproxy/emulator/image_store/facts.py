"""What stands on a partition about its file system, whatever kind that is."""

from dataclasses import dataclass
from typing import Protocol


class Unreadable(Exception):
    """The file system's own structures do not hold.  The text says which."""


class Bytes(Protocol):
    """The bytes of one partition."""

    @property
    def size(self) -> int:
        """How many there are."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` of the partition; fewer at its end.  Raises Win32Error."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """``size`` is the file system's in bytes, ``cluster`` a cluster's.

    ``dirty``: it was in use when its machine stopped, or met an error, and wants to be checked.
    """

    size: int
    cluster: int
    label: str = ""
    dirty: bool = False


def exactly(device: Bytes, offset: int, length: int, what: str) -> bytes:
    """Read all of a structure; one that reaches beyond the partition is :class:`Unreadable`."""
    if not 0 <= offset <= device.size - length:
        raise Unreadable(f"{what} lies beyond the partition's end")
    return device.read(offset, length)
