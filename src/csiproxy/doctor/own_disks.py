"""Disks that are made for self-tests: virtual ones of this Windows, or images of an emulated node."""

import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from csiproxy.doctor.ground import OwnDisk
from csiproxy.doctor.outcome import NotTried
from csiproxy.errors import Win32Error


class EmulatedDisks:
    """Images, attached to the emulated node in ``directory``."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    @contextmanager
    def attach(self, size: int, *, held_back: bool = False) -> Iterator[OwnDisk]:
        """A new image, attached."""
        with tempfile.TemporaryDirectory(prefix="csi-proxy-self-test-") as folder:
            disk = _EmulatedDisk(self._directory, os.path.join(folder, "disk.img"), size, held_back)
            try:
                yield disk
            finally:
                disk.detach()


class _EmulatedDisk:
    def __init__(self, directory: str, image: str, size: int, held_back: bool) -> None:
        from csiproxy.emulator.control import Control

        self._control = Control(directory)
        self.number = self._control.attach(image, create=size, policy_read_only=held_back)
        self._attached = True

    def grow(self, size: int) -> None:
        self._control.grow(self.number, size)

    def detach(self) -> None:
        if self._attached:
            self._attached = False
            try:
                self._control.detach(self.number)
            except Win32Error as error:
                raise NotTried(f"disk {self.number} could not be taken away again: {error}") from error
            finally:
                self._control.close()


if sys.platform == "win32":
    from csiproxy.windows.virtual_disk import VirtualDisk

    class VirtualDisks:
        """VHDX files in the folder for temporary files."""

        @contextmanager
        def attach(self, size: int, *, held_back: bool = False) -> Iterator[OwnDisk]:
            """A new virtual disk, attached without a drive letter."""
            if held_back:
                raise NotTried("virtual disks are not held back by SAN policy")
            path = os.path.join(tempfile.gettempdir(), f"csi-proxy-self-test-{secrets.token_hex(4)}.vhdx")
            try:
                disk = VirtualDisk(path, size)
            except OSError as error:
                raise NotTried(f"no virtual disk can be made here: {error}") from error
            try:
                yield _WindowsDisk(disk)
            finally:
                disk.close()

    class _WindowsDisk:
        def __init__(self, disk: VirtualDisk) -> None:
            self._disk = disk

        @property
        def number(self) -> int:
            return self._disk.number

        def grow(self, size: int) -> None:
            try:
                self._disk.grow(size)
            except OSError as error:
                raise NotTried(f"it cannot be made larger while it is attached: {error}") from error

        def detach(self) -> None:
            self._disk.detach()
