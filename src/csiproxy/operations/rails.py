"""Before a disk or volume is changed: does a guard rail stand in the way?

What a rail needs to know is asked only when a change is at hand, and what is free first: the flags of the
disk that was read anyway, then its partitions in one question.  Windows is asked for page files and its crash
dump only where a partition can hold them, because it has a drive letter or a mount point of somebody else's.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

from csiproxy.errors import FailedPrecondition, WindowsCode
from csiproxy.host.names import equality_key
from csiproxy.operations import rail
from csiproxy.operations.paths import Confinement
from csiproxy.operations.rail import Act, Rail
from csiproxy.storage import Storage
from csiproxy.storage.disk import Disk, Partition
from csiproxy.storage.pod_links import PodLinks
from csiproxy.storage.volume import Volume

_VOLUME_NAME = "\\\\?\\"
_LETTER_PATH = 3  # D:\


class Rails:
    """The rails of disks and volumes, without those that the operator has lifted.

    ``ours`` are all directories that clients may work in; ``pods`` finds what pods' directories lead to.
    """

    def __init__(
        self, storage: Storage, ours: Confinement, pods: PodLinks, lifted: Iterable[str] = ()
    ) -> None:
        self._storage = storage
        self._ours = ours
        self._pods = pods
        without = frozenset(lifted)
        self._rows = {
            act: tuple(
                (row, finds)
                for row, finds in _FINDERS
                if act in row.acts and not (row.liftable and row.name in without)
            )
            for act in Act
        }

    def guard_disk(self, disk: Disk, act: Act) -> None:
        """Raise FailedPrecondition if a rail forbids the act on the whole disk."""
        self._check(_Facts(self._storage, self._ours, self._pods, disk), act, f"disk {disk.number}")

    def guard_volume(
        self, volume: Volume, act: Act, places: Sequence[str] = (), leaving: str = ""
    ) -> Partition:
        """The partition of a volume; FailedPrecondition if a rail forbids the act on it.

        ``places`` are the mount points that are about to go, ``leaving`` the path that goes with all below
        it.
        """
        partition = self._storage.volumes.partition(volume)
        disk = self._storage.disks.get(partition.disk_number)
        facts = _Facts(self._storage, self._ours, self._pods, disk, partition, places, leaving)
        self._check(facts, act, f"volume {volume.id} on disk {disk.number}")
        if act is Act.DISMOUNT:
            facts.keep_as_the_clusters()
        return partition

    def settled(self, disk: Disk) -> None:
        """The disk is offline now: its volumes are nobody's any more."""
        _Facts(self._storage, self._ours, self._pods, disk).forget_as_the_clusters()

    def _check(self, facts: "_Facts", act: Act, what: str) -> None:
        for row, finds in self._rows[act]:
            if found := finds(facts):
                raise FailedPrecondition(
                    f"{what} is not {act.value}, as {found}; {row.advice}", _code(row), rail=row.name
                )


def _code(row: Rail) -> WindowsCode:
    """A disk of the wrong kind cannot be served at all (50); what is used could be later (2404)."""
    used = (rail.MOUNTED_ELSEWHERE, rail.VOLUME_IN_USE, rail.POD_VOLUME)
    return WindowsCode.DEVICE_IN_USE if row in used else WindowsCode.NOT_SUPPORTED


class _Facts:
    """What is known of a disk, asked for at the first need.

    ``partition`` is the one that the act is about, None for all of the disk's.
    """

    def __init__(
        self,
        storage: Storage,
        ours: Confinement,
        pods: PodLinks,
        disk: Disk,
        partition: Partition | None = None,
        places: Sequence[str] = (),
        leaving: str = "",
    ) -> None:
        self._storage = storage
        self._ours = ours
        self._pods = pods
        self.disk = disk
        self.concerned = partition
        self.places = places
        self.leaving = leaving

    @cached_property
    def partitions(self) -> list[Partition]:
        """All partitions of the disk."""
        return self._storage.disks.partitions(self.disk.number)

    @property
    def affected(self) -> list[Partition]:
        """The partitions that the act is about."""
        return [self.concerned] if self.concerned else self.partitions

    def inside(self, partition: Partition) -> list[str]:
        """The mount points of a partition's volume that lie where clients may work."""
        return [path for path in _paths(partition) if self._ours.changeable(path.removesuffix("\\"))]

    def elsewhere(self, partition: Partition) -> list[str]:
        """Its drive letter and its mount points anywhere else."""
        inside = self.inside(partition)
        return [path for path in _paths(partition) if path not in inside]

    def holder_of(self, path: str) -> bool:
        """Whether a file is on the disk, by the places where its volumes are mounted for somebody else."""
        key = equality_key(path)
        return any(
            key.startswith(equality_key(place))
            for partition in self.partitions
            for place in self.elsewhere(partition)
        )

    @property
    def can_hold_files(self) -> bool:
        """Whether a file of Windows' could be on the disk at all."""
        return any(self.elsewhere(partition) for partition in self.partitions)

    @property
    def page_files(self) -> list[str]:
        """The page files of the node."""
        return self._storage.system.page_files()

    @property
    def crash_dump(self) -> str:
        """Where the node dumps a crash to."""
        return self._storage.system.crash_dump()

    def pod_link(self) -> str:
        """A path of a pod's that leads to one of the places, "" for none."""
        found = self._pods.leading_to(self.places, self.leaving) if self.places else None
        return str(found) if found else ""

    # A volume that clients had mounted is the cluster's, even when Windows has given it a letter by itself,
    # as it does to disks with an MBR.  That is remembered from its last unmounting until its disk goes
    # offline.

    def is_the_clusters(self, partition: Partition) -> bool:
        """Whether clients have mounted its volume, now or before."""
        if self.inside(partition):
            return True
        volume = _volume_of(partition)
        return bool(volume) and self._storage.disks.is_marked_the_clusters(volume)

    def keep_as_the_clusters(self) -> None:
        """Remember that clients had mounted the volume, where there could be doubt later."""
        for partition in self.affected:
            if self.elsewhere(partition) and self.inside(partition):
                self._storage.disks.mark_the_clusters(_volume_of(partition))

    def forget_as_the_clusters(self) -> None:
        """Take that back."""
        for partition in self.partitions:
            if self.elsewhere(partition) and self.is_the_clusters(partition):
                self._storage.disks.unmark_the_clusters(_volume_of(partition))


def _paths(partition: Partition) -> list[str]:
    return [path for path in partition.access_paths if not path.startswith(_VOLUME_NAME)]


def _volume_of(partition: Partition) -> str:
    return next((path for path in partition.access_paths if path.startswith(_VOLUME_NAME)), "")


def _system(facts: _Facts) -> str:
    flagged = facts.disk.is_system or any(partition.is_system for partition in facts.partitions)
    return "the disk holds the system" if flagged else ""


def _clustered(facts: _Facts) -> str:
    found = facts.disk.is_clustered or any(partition.is_clustered for partition in facts.partitions)
    return "the disk is a failover cluster's" if found else ""


def _storage_spaces(facts: _Facts) -> str:
    if facts.disk.is_of_storage_spaces:
        return "the disk is made of Storage Spaces"
    found = any(partition.is_of_storage_spaces for partition in facts.partitions)
    return "the disk is part of a storage pool" if found else ""


def _recovery(facts: _Facts) -> str:
    found = next((partition for partition in facts.partitions if partition.is_recovery), None)
    return f"partition {found.number} of the disk is a recovery partition" if found else ""


def _page_file(facts: _Facts) -> str:
    files = facts.page_files if facts.can_hold_files else ()
    found = next((path for path in files if facts.holder_of(path)), "")
    return f"the page file {found} is on the disk" if found else ""


def _crash_dump(facts: _Facts) -> str:
    path = facts.crash_dump if facts.can_hold_files else ""
    return f"Windows dumps a crash to {path} on the disk" if path and facts.holder_of(path) else ""


def _mounted_elsewhere(facts: _Facts) -> str:
    for partition in facts.affected:
        for path in facts.elsewhere(partition):
            # Windows gives letters by itself, directories never.
            if len(path) > _LETTER_PATH or not facts.is_the_clusters(partition):
                return f"partition {partition.number} of the disk is mounted at {path}"
    return ""


def _in_use(facts: _Facts) -> str:
    for partition in facts.affected:
        if inside := facts.inside(partition):
            return f"partition {partition.number} of the disk is mounted at {inside[0]}"
    return ""


def _pod(facts: _Facts) -> str:
    link = facts.pod_link()
    return f"the pod's path {link} leads to it" if link else ""


_FINDERS: tuple[tuple[Rail, Callable[[_Facts], str]], ...] = (
    (rail.SYSTEM_DISK, _system),
    (rail.CLUSTERED_DISK, _clustered),
    (rail.STORAGE_SPACES_DISK, _storage_spaces),
    (rail.RECOVERY_DISK, _recovery),
    (rail.PAGE_FILE_DISK, _page_file),
    (rail.CRASH_DUMP_DISK, _crash_dump),
    (rail.MOUNTED_ELSEWHERE, _mounted_elsewhere),
    (rail.VOLUME_IN_USE, _in_use),
    (rail.POD_VOLUME, _pod),
)
"""What each rail finds wrong, "" for nothing; the cheapest first."""
