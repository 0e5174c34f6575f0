"""The storage system: volumes as disk images in a directory, attached to emulated nodes like a cloud's disks.

A volume is an image and a small file that says what it is called; which nodes have it is what the nodes
themselves say.  Everything may be repeated, and a process that is killed in between leaves nothing that the
next one does not understand.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from threading import Lock
from typing import Final, TypeVar

from csiproxy.emulator import image
from csiproxy.emulator.control import Control
from csiproxy.emulator.inventory import DiskReport
from csiproxy.errors import AlreadyExists, FailedPrecondition, HostError, NotFound, OutOfRange, Unavailable

MIB: Final = 1 << 20
SMALLEST: Final = 64 * MIB
"""The smallest volume, as small as Windows' file systems go."""
_IMAGE, _FACTS = ".img", ".json"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume: its id, the name that it was asked for by, and its size in bytes."""

    id: str
    name: str
    capacity: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A volume on a node, as a disk there."""

    node: str
    disk: DiskReport


class Volumes:
    """All volumes.  ``nodes`` are the directories of the emulated nodes by their ids; ``most`` is what all
    volumes together may have, in bytes."""

    def __init__(self, directory: str, nodes: Mapping[str, str], most: int) -> None:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._directory = os.path.realpath(directory)
        self._nodes = dict(nodes)
        self._most = most
        self._lock = Lock()

    # --- what there is -------------------------------------------------------------------------------

    def all(self) -> tuple[Volume, ...]:
        """Every volume, by id."""
        names = sorted(name for name in os.listdir(self._directory) if name.endswith(_FACTS))
        found = (self._read(name.removesuffix(_FACTS)) for name in names)
        return tuple(volume for volume in found if volume is not None)

    def get(self, volume_id: str) -> Volume:
        """A volume; NotFound when there is none of that id."""
        volume = self._read(volume_id)
        if volume is None:
            raise NotFound(f"there is no volume {volume_id[:128]}")
        return volume

    def left(self) -> int:
        """What may still be provisioned, in bytes."""
        return max(0, self._most - sum(volume.capacity for volume in self.all()))

    def attachments(self, volume_id: str) -> tuple[Attachment, ...]:
        """The nodes that have a volume.  Unavailable when a node does not answer: it may have it."""
        path = self._path(volume_id, _IMAGE)
        found = []
        for node in self._nodes:
            with self._control(node) as control:
                disks = _ask(control.list)
                found += [Attachment(node, disk) for disk in disks if os.path.realpath(disk.image) == path]
        return tuple(found)

    # --- their life ----------------------------------------------------------------------------------

    def create(self, name: str, required: int, limit: int) -> Volume:
        """Make a volume, or find the one of that name.

        AlreadyExists when that one has another size than is wanted, OutOfRange when there is no room.
        """
        size = -(-max(required, SMALLEST) // MIB) * MIB
        if limit and size > limit:
            raise OutOfRange(
                f"the smallest volume for this has {size} bytes, which is above the limit of {limit}"
            )
        volume = Volume(f"vol-{sha256(name.encode()).hexdigest()[:20]}", name, size)
        with self._lock:
            there = self._read(volume.id)
            if there is not None:
                if there.capacity < required or (limit and there.capacity > limit):
                    raise AlreadyExists(f"the volume named {name[:128]} has {there.capacity} bytes already")
                return there
            if size > self.left():
                raise OutOfRange(f"there is room for {self.left()} bytes, and {size} are asked for")
            if not os.path.exists(self._path(volume.id, _IMAGE)):
                _ask(partial(image.create, self._path(volume.id, _IMAGE), size))
            self._write(volume)
        return volume

    def delete(self, volume_id: str) -> None:
        """Delete a volume and what is on it; one that is gone is success.

        FailedPrecondition: a node has it.
        """
        with self._lock:
            if self._read(volume_id) is None:
                return
            if self.attachments(volume_id):
                raise FailedPrecondition(f"volume {volume_id} is on a node: unpublish it there first")
            path = self._path(volume_id, _IMAGE)
            shutil.rmtree(f"{path}.d", ignore_errors=True)
            with suppress(FileNotFoundError):
                os.unlink(path)
            os.unlink(self._path(volume_id, _FACTS))

    def attach(self, volume_id: str, node: str, *, read_only: bool) -> DiskReport:
        """Give a volume to a node; the disk there.

        AlreadyExists: it is there otherwise; FailedPrecondition: another node has it.
        """
        self.get(volume_id)
        if node not in self._nodes:
            raise NotFound(f"there is no node {node[:256]}")
        with self._lock:
            for there in self.attachments(volume_id):
                if there.node != node:
                    raise FailedPrecondition(
                        f"volume {volume_id} is on node {there.node}: unpublish it there first"
                    )
                if there.disk.read_only != read_only:
                    raise AlreadyExists(f"volume {volume_id} is on node {node} otherwise: unpublish it first")
                return there.disk
            path = self._path(volume_id, _IMAGE)
            with self._control(node) as control:
                number = _ask(lambda: control.attach(path, serial=serial(volume_id), read_only=read_only))
                return next(disk for disk in _ask(control.list) if disk.number == number)

    def detach(self, volume_id: str, node: str) -> None:
        """Take a volume from a node, "" for all; where it is not is success."""
        with self._lock:
            for there in self.attachments(volume_id):
                if node in ("", there.node):
                    with self._control(there.node) as control:
                        _ask(partial(control.detach, there.disk.number))

    def expand(self, volume_id: str, required: int, limit: int) -> Volume:
        """Make a volume larger, on a node too; one that is large enough is left alone."""
        with self._lock:
            volume = self.get(volume_id)
            size = max(volume.capacity, -(-required // MIB) * MIB)
            if limit and size > limit:
                raise OutOfRange(f"the volume would have {size} bytes, which is above the limit of {limit}")
            if size - volume.capacity > self.left():
                raise OutOfRange(f"there is room for {self.left()} bytes more")
            attached = self.attachments(volume_id)
            for there in attached:
                if there.disk.size < size:
                    with self._control(there.node) as control:
                        _ask(partial(control.grow, there.disk.number, size))
            if not attached and os.path.getsize(self._path(volume_id, _IMAGE)) < size:
                os.truncate(self._path(volume_id, _IMAGE), size)
            grown = Volume(volume.id, volume.name, size)
            self._write(grown)
            return grown

    # --- pieces --------------------------------------------------------------------------------------

    def _control(self, node: str) -> Control:
        return Control(self._nodes[node])

    def _path(self, volume_id: str, ending: str) -> str:
        """The file of a volume; NotFound for an id that is none of ours, which could be any path."""
        if not volume_id.startswith("vol-") or not volume_id[4:].isalnum() or not volume_id.isascii():
            raise NotFound(f"there is no volume {volume_id[:128]}")
        return os.path.join(self._directory, volume_id + ending)

    def _read(self, volume_id: str) -> Volume | None:
        try:
            with open(self._path(volume_id, _FACTS), encoding="utf-8") as file:
                return Volume(**json.load(file))
        except (FileNotFoundError, NotFound):
            return None

    def _write(self, volume: Volume) -> None:
        path = self._path(volume.id, _FACTS)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            json.dump(asdict(volume), file)
        os.replace(f"{path}.new", path)


def serial(volume_id: str) -> str:
    """The serial number of a volume's disk, wherever it is attached."""
    return volume_id.removeprefix("vol-").upper()


def _ask(call: Callable[[], T]) -> T:
    """Ask a node; Unavailable when it does not answer or does not do it now."""
    try:
        return call()
    except HostError as error:
        raise Unavailable(f"the node did not do it: {error}; try again") from error
