"""Two emulated nodes of one cluster: a disk leaves one and arrives at the other, as when a pod moves."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self, Unpack

from csiproxy.emulator.control import AttachOptions
from csiproxy.testing.node import Disk, Node, temporary_directory


class NodePair:
    """Two running nodes whose disks have their images in one directory.

    An image is attached to one node at a time; attaching it to the second is refused while the first has it.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        serve: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> None:
        self.images = Path(directory, "images")
        with ExitStack() as opened:
            self.first = opened.enter_context(
                Node(Path(directory, "1"), images=self.images, serve=serve, flags=flags)
            )
            self.second = opened.enter_context(
                Node(Path(directory, "2"), images=self.images, serve=serve, flags=flags)
            )
            self._opened = opened.pop_all()

    @classmethod
    @contextmanager
    def temporary(cls, *, serve: Sequence[str] = (), flags: Sequence[str] = ()) -> Iterator[Self]:
        """A pair in a temporary directory, which goes with it."""
        with temporary_directory() as directory, cls(directory, serve=serve, flags=flags) as pair:
            yield pair

    def move(self, disk: Disk, to: Node, **options: Unpack[AttachOptions]) -> Disk:
        """Take a disk from the other node to this one; the disk as it has it.

        ``options`` say how it looks there; its serial number stays unless another is given.
        """
        (self.second if to is self.first else self.first).detach(disk)
        return to.attach(disk.image, **options)

    def close(self) -> None:
        """Stop both."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
