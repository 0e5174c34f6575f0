"""A model of a Windows node with a proxy on it: what each call gives and leaves behind, said simply.

Paths are compared as NTFS does; only names below the two prefixes of CSIProxyService are known, all others
are nobody's to change.  A volume is named by the number of the image that it is on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from tests.emulated import MIB, PLUGINS, PODS

from csiproxy.errors import (
    AlreadyExists,
    CsiProxyError,
    FailedPrecondition,
    NotFound,
    OutOfRange,
    PermissionDenied,
)

Key = tuple[str, ...]
SYSTEM = 0
MOST_HOPS = 8
# The backup of the table: 32 sectors of entries and a header.
GPT_TAIL = 33 * 512


class Kind(Enum):
    """What a name is."""

    DIRECTORY = "directory"
    FILE = "file"
    LINK = "symbolic link"
    PLANTED = "other reparse point"
    MOUNT = "mount point"


REPARSE = (Kind.LINK, Kind.PLANTED, Kind.MOUNT)


class Style(Enum):
    """What a disk's partition table is."""

    RAW = 0
    MBR = 1
    GPT = 2


@dataclass(frozen=True)
class Node:
    """One name: a link's target is a path, a mount point's the volume's image."""

    kind: Kind
    target: str = ""
    volume: int = -1


@dataclass(frozen=True)
class Image:
    """What travels with a disk.  Sizes are bytes; ``file_system`` is "" while its one volume is raw."""

    size: int
    style: Style = Style.RAW
    offset: int = 0
    partition: int = 0
    file_system: str = ""
    files: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Disk:
    """How an image is attached.  ``seen`` is the size that Windows knows."""

    image: int
    seen: int
    offline: bool = False
    read_only: bool = False
    locked: bool = False  # by its hardware

    @property
    def refuses_writes(self) -> bool:
        return self.read_only or self.locked


class Refused(Exception):
    """The call fails, with this class and this Windows code."""

    def __init__(self, error: type[CsiProxyError], windows_code: int) -> None:
        super().__init__(error.__name__, windows_code)
        self.error = error
        self.windows_code = windows_code


def key_of(path: str) -> Key:
    return tuple(path.lower().split("\\"))


ROOTS = (key_of(PLUGINS), key_of(PODS))


def _partition(size: int, style: Style) -> tuple[int, int]:
    """Offset and size of the one partition over a whole disk."""
    reserved = style is Style.GPT and size >= 32 * MIB
    offset = 16 * MIB if reserved else MIB
    end = size - GPT_TAIL if style is Style.GPT else size
    return offset, end // MIB * MIB - offset


@dataclass
class Windows:
    """The node.  A call's method has its operation's name and raises :class:`Refused` where that fails."""

    images: dict[int, Image] = field(default_factory=dict)
    disks: dict[int, Disk] = field(default_factory=dict)
    names: dict[Key, Node] = field(default_factory=dict)

    def copy(self) -> "Windows":
        return Windows(dict(self.images), dict(self.disks), dict(self.names))

    # --- what others do to the node

    def attach(self, number: int, image: int, size: int = 0, **options: bool) -> None:
        self.images.setdefault(image, Image(size))
        policy = options.get("policy_read_only", False)
        offline = policy or options.get("offline", False)
        locked = options.get("read_only", False)
        self.disks[number] = Disk(image, self.images[image].size, offline, policy, locked)

    def detach(self, number: int) -> None:
        del self.disks[number]

    def grow(self, number: int, size: int) -> None:
        image = self.disks[number].image
        self.images[image] = replace(self.images[image], size=size)

    def put(self, path: str, kind: Kind) -> bool:
        """Somebody makes a file or plants a link; False where that cannot be."""
        key = key_of(path)
        above = self._find(key[:-1])
        if key in self.names or above is None or above.kind is not Kind.DIRECTORY:
            return False
        self.names[key] = Node(kind)
        return True

    def write(self, image: int, name: str) -> bool:
        """A workload writes a file on a volume; False where there are no files."""
        if not self.images[image].file_system:
            return False
        found = self.images[image]
        self.images[image] = replace(found, files=found.files | {name})
        return True

    # --- group filesystem

    def path_exists(self, path: str) -> bool:
        try:
            self._entry(key_of(path))
        except Refused as refused:
            if refused.error is NotFound:
                return False
            raise
        return True

    def mkdir(self, path: str) -> None:
        key = key_of(path)
        for length in range(1, len(key) + 1):
            if self._find(key[:length]) is None:
                self.names[key[:length]] = Node(Kind.DIRECTORY)
            self._require_directory(key[:length])

    def rmdir(self, path: str, force: bool) -> None:
        key = key_of(path)
        try:
            entry = self._entry(key)
        except Refused as refused:
            if force and refused.error is NotFound:
                return
            raise
        if force or entry.kind is Kind.LINK:
            self._require_no_pods([key, *self._below(key)], leaving=key)
            self._remove(key)
        elif entry.kind is Kind.MOUNT:
            raise Refused(FailedPrecondition, 145)
        else:
            self._remove_empty(key)

    def rmdir_contents(self, path: str) -> None:
        key = key_of(path)
        self._entry(key)
        self._require_directory(key)
        self._require_no_pods(self._below(key), leaving=key)
        for below in list(self._below(key)):
            del self.names[below]

    def create_symlink(self, source_path: str, target_path: str) -> None:
        self._require_linkable(key_of(source_path))
        self._link(key_of(target_path), source_path, replace_empty=False)

    def is_symlink(self, path: str) -> bool:
        entry = self._entry(key_of(path))
        if entry.kind not in (Kind.LINK, Kind.MOUNT):
            return False
        try:
            self._follow(path, into_volume=True)
        except Refused as refused:
            if refused.windows_code in (2, 3, 21, 267, 1168, 1921):
                return False
            raise
        return True

    # --- CSIProxyService on names

    def service_mkdir(self, path: str) -> None:
        key = key_of(path)
        self._require_parent(key)
        if key in self.names:
            raise Refused(AlreadyExists, 183)
        self.names[key] = Node(Kind.DIRECTORY)

    def service_rmdir(self, path: str) -> None:
        self._entry(key_of(path))
        self._remove_empty(key_of(path))

    def link_path(self, source_path: str, target_path: str) -> None:
        self._require_linkable(key_of(target_path))
        self._link(key_of(source_path), target_path, replace_empty=True)

    def unlink_path(self, path: str) -> None:
        try:
            entry = self._entry(key_of(path))
        except Refused as refused:
            if refused.error is NotFound:
                return
            raise
        if entry.kind not in REPARSE:
            raise Refused(FailedPrecondition, 4390)
        if entry.kind is not Kind.LINK:
            raise Refused(PermissionDenied, 4395)
        del self.names[key_of(path)]

    # --- group disk, and CSIProxyService on disks

    def rescan(self) -> None:
        for number in self.disks:
            self._refresh(number)

    def partition_disk(self, number: int, style: Style = Style.GPT) -> None:
        disk = self._disk(number)
        self._refuse_system(number)
        self._bring_online(number)
        image = self.images[disk.image]
        if image.style is Style.RAW:
            if self.disks[number].refuses_writes:
                raise Refused(FailedPrecondition, 19)
            self._refresh(number)
            offset, size = _partition(self.disks[number].seen, style)
            self.images[disk.image] = replace(image, style=style, offset=offset, partition=size)

    def set_disk_state(self, number: int, is_online: bool) -> None:
        disk = self._disk(number)
        if is_online:
            self._bring_online(number)
        elif not disk.offline:
            self._refuse_system(number)
            if list(self._places(disk.image)):
                raise Refused(FailedPrecondition, 2404)
            self.disks[number] = replace(disk, offline=True)

    def get_disk_stats(self, number: int) -> int:
        return self._disk(number).seen

    def get_disk_state(self, number: int) -> bool:
        return not self._disk(number).offline

    # --- group volume, and CSIProxyService on volumes

    def list_volumes_on_disk(self, number: int) -> tuple[int, ...]:
        disk = self.disks.get(number)
        return (disk.image,) if disk and self._lives(disk.image) else ()

    def is_volume_formatted(self, volume: int) -> bool:
        return bool(self._volume(volume).file_system)

    def get_volume_stats(self, volume: int) -> int:
        image = self._volume(volume)
        self._require_formatted(image)
        return (image.partition - 512) // 4096 * 4096

    def get_disk_number_from_volume_id(self, volume: int) -> int:
        self._volume(volume)
        return self._number(volume)

    def get_volume_id_from_target_path(self, path: str) -> int:
        entry = self._follow(path, into_volume=False)
        if entry.kind is not Kind.MOUNT:
            raise Refused(FailedPrecondition, 4390)
        return entry.volume

    def format_volume(self, volume: int) -> None:
        if self._volume(volume).file_system:
            raise Refused(FailedPrecondition, 50)
        self._format(volume, "NTFS")

    def service_format_volume(self, volume: int, file_system: str) -> None:
        found = self._volume(volume).file_system
        if found not in ("", file_system):
            raise Refused(AlreadyExists, 183)
        if not found:
            self._format(volume, file_system)

    def mount_volume(self, volume: int, path: str) -> None:
        self._require_formatted(self._volume(volume))
        key = key_of(path)
        entry = self._entry(key)
        if entry.kind is Kind.MOUNT:
            if entry.volume != volume:
                raise Refused(FailedPrecondition, 145)
            return
        self._require_directory(key)
        if list(self._below(key)):
            raise Refused(FailedPrecondition, 145)
        self.names[key] = Node(Kind.MOUNT, volume=volume)

    def unmount_volume(self, volume: int, path: str) -> None:
        try:
            entry = self._entry(key_of(path))
        except Refused as refused:
            if refused.error is NotFound:
                return
            raise
        if entry.kind is Kind.MOUNT and entry.volume != volume:
            raise Refused(FailedPrecondition, 145)
        if entry.kind in (Kind.LINK, Kind.PLANTED):
            raise Refused(PermissionDenied, 4395)
        if entry.kind is Kind.MOUNT:
            self._require_no_pods([key_of(path)])
            self.names[key_of(path)] = Node(Kind.DIRECTORY)

    def dismount_volume(self, volume: int) -> None:
        places = list(self._places(volume))
        self._require_no_pods(places)
        for key in places:
            self.names[key] = Node(Kind.DIRECTORY)

    def resize_volume(self, volume: int, size: int) -> None:
        image = self._volume(volume)
        number = self._number(volume)
        self._refresh(number)
        seen = self.disks[number].seen
        if size > seen:
            raise Refused(OutOfRange, 87)
        largest = max(image.partition, (seen - MIB - image.offset) // MIB * MIB)
        if 0 < size <= image.partition or largest < image.partition + MIB:
            return
        enough = max(size, image.partition + MIB) if size else largest
        wanted = min(-(-enough // MIB) * MIB, largest)
        if self.disks[number].refuses_writes:
            raise Refused(FailedPrecondition, 19)
        if image.file_system == "FAT32":
            raise Refused(OutOfRange, 87)
        self.images[volume] = replace(image, partition=wanted)

    # --- names

    def _find(self, key: Key) -> Node | None:
        if any(root[: len(key)] == key for root in ROOTS):
            return Node(Kind.DIRECTORY)
        return self.names.get(key)

    def _below(self, key: Key) -> Iterator[Key]:
        return (name for name in self.names if name[: len(key)] == key and len(name) > len(key))

    def _require_directory(self, key: Key) -> None:
        found = self._find(key)
        if found is not None and found.kind in REPARSE:
            raise Refused(PermissionDenied, 4395)
        if found is not None and found.kind is Kind.FILE:
            raise Refused(FailedPrecondition, 267)

    def _require_parent(self, key: Key) -> None:
        for length in range(1, len(key)):
            if self._find(key[:length]) is None:
                raise Refused(NotFound, 3)
            self._require_directory(key[:length])

    def _entry(self, key: Key) -> Node:
        self._require_parent(key)
        found = self._find(key)
        if found is None:
            raise Refused(NotFound, 2)
        return found

    def _remove(self, key: Key) -> None:
        for name in [*self._below(key), key]:
            del self.names[name]

    def _remove_empty(self, key: Key) -> None:
        self._require_directory(key)
        if list(self._below(key)):
            raise Refused(FailedPrecondition, 145)
        del self.names[key]

    def _require_linkable(self, key: Key) -> None:
        found = self._entry(key)
        if found.kind is Kind.FILE:
            raise Refused(FailedPrecondition, 267)
        if found.kind is Kind.PLANTED:
            raise Refused(PermissionDenied, 4395)

    def _link(self, key: Key, target: str, *, replace_empty: bool) -> None:
        self._require_parent(key)
        found = self.names.get(key)
        if found and found.kind is Kind.LINK and key_of(found.target) == key_of(target):
            return
        empty = found and found.kind is Kind.DIRECTORY and not list(self._below(key))
        if found and not (replace_empty and empty):
            raise Refused(AlreadyExists, 183)
        self.names[key] = Node(Kind.LINK, target)

    def _follow(self, path: str, *, into_volume: bool) -> Node:
        """What a path leads to through links and mounted volumes."""
        for _ in range(MOST_HOPS + 1):
            found = self._hop(key_of(path), into_volume)
            if isinstance(found, Node):
                return found
            path = found
        raise Refused(FailedPrecondition, 1921)

    def _hop(self, key: Key, into_volume: bool) -> Node | str:
        files: frozenset[str] | None = None
        entry = Node(Kind.DIRECTORY)
        for length in range(1, len(key) + 1):
            found = self._find(key[:length]) if files is None else None
            if files is not None and key[length - 1] in files:
                found = Node(Kind.FILE)
            if found is None:
                raise Refused(NotFound, 2)
            entry, rest = found, key[length:]
            if entry.kind is Kind.LINK:
                return "\\".join((entry.target, *rest))
            if entry.kind is Kind.PLANTED:
                raise Refused(PermissionDenied, 4395)
            if entry.kind is Kind.MOUNT and (rest or into_volume):
                files = self._open(entry.volume)
            elif entry.kind is Kind.FILE and rest:
                raise Refused(FailedPrecondition, 267)
        return entry

    def _open(self, volume: int) -> frozenset[str]:
        disk = next((disk for disk in self.disks.values() if disk.image == volume), None)
        if disk is None:
            raise Refused(NotFound, 1168)
        if disk.offline:
            raise Refused(FailedPrecondition, 21)
        return self.images[volume].files

    # --- disks and volumes

    def _disk(self, number: int) -> Disk:
        if number == SYSTEM:
            return Disk(-1, 64 << 30)
        if number not in self.disks:
            raise Refused(NotFound, 1168)
        return self.disks[number]

    @staticmethod
    def _refuse_system(number: int) -> None:
        if number == SYSTEM:
            raise Refused(FailedPrecondition, 50)

    def _refresh(self, number: int) -> None:
        self.disks[number] = replace(self.disks[number], seen=self.images[self.disks[number].image].size)

    def _bring_online(self, number: int) -> None:
        disk = self._disk(number)
        if not disk.offline:
            return
        self.disks[number] = replace(disk, offline=False)
        self._refresh(number)
        self.disks[number] = replace(self.disks[number], read_only=False)

    def _places(self, volume: int) -> Iterator[Key]:
        """Where a volume is mounted."""
        return (key for key, node in self.names.items() if node.kind is Kind.MOUNT and node.volume == volume)

    def _require_no_pods(self, keys: Iterable[Key], leaving: Key = ()) -> None:
        """No link of a pod may lead to a living volume's mount point, but those that go as well."""
        pods = ROOTS[1]
        links = [
            key_of(node.target)
            for key, node in self.names.items()
            if node.kind is Kind.LINK
            and key[: len(pods)] == pods
            and not (leaving and key[: len(leaving)] == leaving)
        ]
        for key in keys:
            node = self.names[key]
            mounted = node.kind is Kind.MOUNT and self._lives(node.volume)
            if mounted and any(target[: len(key)] == key for target in links):
                raise Refused(FailedPrecondition, 2404)

    def _number(self, volume: int) -> int:
        return next(number for number, disk in self.disks.items() if disk.image == volume)

    def _lives(self, volume: int) -> bool:
        attached = any(disk.image == volume and not disk.offline for disk in self.disks.values())
        return attached and self.images[volume].style is not Style.RAW

    def _volume(self, volume: int) -> Image:
        if not self._lives(volume):
            raise Refused(NotFound, 1168)
        return self.images[volume]

    @staticmethod
    def _require_formatted(image: Image) -> None:
        if not image.file_system:
            raise Refused(FailedPrecondition, 1005)

    def _format(self, volume: int, file_system: str) -> None:
        if self.disks[self._number(volume)].refuses_writes:
            raise Refused(FailedPrecondition, 19)
        self.images[volume] = replace(self.images[volume], file_system=file_system, files=frozenset())

    # --- what an observer sees

    def lines(self) -> dict[str, str]:
        """The node in lines of text, as :func:`tests.model.observed.lines` gives them."""
        found = {}
        for number, disk in self.disks.items():
            image = self.images[disk.image]
            found[f"disk {number}"] = (
                f"image {disk.image} of {disk.seen} {image.style.name} offline {disk.offline}"
                f" read-only {disk.refuses_writes}"
            )
            if image.style is not Style.RAW:
                place = f"{image.offset} {image.partition} {image.file_system}"
                found[f"partition of image {disk.image}"] = place.strip()
            if image.file_system:
                found[f"files of image {disk.image}"] = str(sorted(image.files))
        for key, node in self.names.items():
            volume = f"image {node.volume}" if node.kind is Kind.MOUNT else node.target.lower()
            found["\\".join(key)] = f"{node.kind.value} {volume}".strip()
        return found
