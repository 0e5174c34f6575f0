"""The table of guard rails: what no request may do, whoever asks, and how an administrator changes that.

Each rail has one row here; who runs into it is told the row's name and its way out, and the name goes into
the audit record and the error's details.  Where each is looked after: the ones of disks and volumes in
``operations/rails.py``, services in ``operations/system.py``, the limits of callers in the gRPC core, and the
dry run in ``operations/dry_run.py``.
"""

from dataclasses import dataclass
from enum import Enum


class Act(Enum):
    """What a request is about to do to a disk or volume, as a sentence says it."""

    PARTITION = "partitioned"
    READ_ONLY = "made read-only"
    FORMAT = "formatted"
    REFORMAT = "formatted over"
    RESIZE = "resized"
    MOUNT = "mounted"
    DISMOUNT = "dismounted"
    OFFLINE = "taken offline"
    LOG_OUT = "logged out of"


_EVERY = frozenset(Act) - {Act.REFORMAT}
_TAKES_AWAY = frozenset({Act.OFFLINE, Act.LOG_OUT})


@dataclass(frozen=True, slots=True)
class Rail:
    """One guard rail.

    ``protects`` is a noun, ``way_out`` what an administrator does, as half a sentence; ``acts`` what it
    stops, empty for rails that are not about disks and volumes.  ``liftable``: ``--lift-rail`` takes it away.
    """

    name: str
    protects: str
    way_out: str
    acts: frozenset[Act] = frozenset()
    liftable: bool = False

    @property
    def advice(self) -> str:
        """The way out, with the rail's name, to end a sentence."""
        lift = f", or start csi-proxy with --lift-rail {self.name}" if self.liftable else ""
        return f"{self.way_out}{lift} (rail {self.name})"


SYSTEM_DISK = Rail("system-disk", "the disk that Windows starts or runs from", "use another disk", _EVERY)
CLUSTERED_DISK = Rail(
    "clustered-disk",
    "a failover cluster's disk",
    "remove the disk from the cluster",
    _EVERY,
    liftable=True,
)
STORAGE_SPACES_DISK = Rail(
    "storage-spaces-disk",
    "a disk that is part of Storage Spaces, or made of them",
    "use a disk of its own",
    _EVERY,
    liftable=True,
)
RECOVERY_DISK = Rail(
    "recovery-disk",
    "a disk with a partition that Windows repairs itself from",
    "remove the recovery partition",
    _EVERY,
    liftable=True,
)
PAGE_FILE_DISK = Rail(
    "page-file-disk", "a disk with a page file", "move the page file to another disk", _EVERY, liftable=True
)
CRASH_DUMP_DISK = Rail(
    "crash-dump-disk",
    "the disk that crashes are dumped to",
    "let Windows dump to another disk (CrashControl, DumpFile)",
    _EVERY,
    liftable=True,
)
MOUNTED_ELSEWHERE = Rail(
    "mounted-elsewhere",
    "a volume that is mounted outside the directories that clients may work in",
    "take its drive letter or mount point away",
    frozenset({Act.REFORMAT, Act.RESIZE, *_TAKES_AWAY}),
    liftable=True,
)
VOLUME_IN_USE = Rail(
    "volume-in-use",
    "a volume that is still mounted for somebody",
    "unmount it first",
    frozenset({Act.REFORMAT, Act.OFFLINE}),
    liftable=True,
)
POD_VOLUME = Rail(
    "pod-volume",
    "what a pod's directory still leads to",
    "let kubelet unpublish it from the pod first",
    frozenset({Act.DISMOUNT}),
    liftable=True,
)
SERVICE = Rail("service", "every Windows service that is not on the list", "name it with --allow-service")
CALLER_CALLS = Rail(
    "caller-calls", "threads and memory, from one process that calls too much at once", "raise --caller-calls"
)
CALLER_RATE = Rail(
    "caller-rate", "everybody's time, from one process that calls too often", "raise --caller-rate"
)
CALLER_CONNECTIONS = Rail(
    "caller-connections", "connections, from one process that opens too many", "raise --caller-connections"
)
DRY_RUN = Rail(
    "dry-run", "everything: calls are decided and recorded only", "start csi-proxy without --dry-run"
)

RAILS = (
    SYSTEM_DISK,
    CLUSTERED_DISK,
    STORAGE_SPACES_DISK,
    RECOVERY_DISK,
    PAGE_FILE_DISK,
    CRASH_DUMP_DISK,
    MOUNTED_ELSEWHERE,
    VOLUME_IN_USE,
    POD_VOLUME,
    SERVICE,
    CALLER_CALLS,
    CALLER_RATE,
    CALLER_CONNECTIONS,
    DRY_RUN,
)
LIFTABLE = tuple(rail.name for rail in RAILS if rail.liftable)
