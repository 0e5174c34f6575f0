"""Holds a trail against a Kubernetes audit log: which calls did no PersistentVolume ask for?

A call is asked for when it is about a PersistentVolume that a pod used at that time.  What it is about stands
in it: kubelet's paths name the pod and the volume, or the digest of the volume's handle; shares and iSCSI
targets are in the volume's attributes.  Disks and volumes of Windows are known by other calls that name them
together with such a path: a volume was mounted at it, a disk had that volume.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from csiproxy.audit.calls import Call
from csiproxy.audit.kubernetes import Cluster, PersistentVolume, Pod

BEFORE: Final = timedelta(minutes=1)
"""How far the node's clock may be behind the API server's."""
AFTER: Final = timedelta(minutes=10)
"""How long after a pod's end kubelet may still be unpublishing and unstaging."""

_OF_THE_NODE: Final = frozenset(
    {
        "Rescan",
        "ListDiskIDs",
        "ListDiskLocations",
        "ListDiskVolumeMappings",
        "GetBIOSSerialNumber",
        "GetService",
        "StartService",
        "ListTargetPortals",
        "AddTargetPortal",
        "DiscoverTargetPortal",
    }
)
"""What drivers ask or do for the node as a whole, whichever volume is meant."""


class Verdict(Enum):
    """What a call is, held against Kubernetes' log."""

    ASKED = "asked"
    NODE = "node"
    UNASKED = "unasked"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A call, what it is, and why: for one that was asked for, which pod and volume."""

    call: Call
    verdict: Verdict
    why: str


@dataclass(frozen=True, slots=True)
class Options:
    """``node`` is the node whose trail it is, "" for any; the times are tolerances."""

    node: str = ""
    before: timedelta = BEFORE
    after: timedelta = AFTER


def correlate(calls: Sequence[Call], cluster: Cluster, options: Options = Options()) -> list[Judgement]:
    """Judge every call, in the order of time."""
    judge = _Judge(calls, cluster, options)
    return [judge.judge(call) for call in sorted(calls, key=lambda call: call.time)]


def counts(judgements: Iterable[Judgement]) -> Counter[Verdict]:
    """How many calls are what."""
    return Counter(judgement.verdict for judgement in judgements)


class _Judge:
    def __init__(self, calls: Sequence[Call], cluster: Cluster, options: Options) -> None:
        self._cluster = cluster
        self._options = options
        self._by_staging = {volume.staging: volume for volume in cluster.volumes.values() if volume.staging}
        self._users = self._users_of_volumes()
        self._ties = _Ties(calls, self._named)
        self._asked_paths = self._paths_above(calls)

    def judge(self, call: Call) -> Judgement:
        """Judge one call."""
        first, last = self._cluster.first, self._cluster.last
        if first is None or last is None:
            return Judgement(call, Verdict.UNJUDGED, "Kubernetes' log has no event")
        if not first - self._options.before <= call.time <= last + self._options.after:
            return Judgement(call, Verdict.UNJUDGED, "Kubernetes' log does not reach to that time")
        subjects = call.subjects
        for pod, volume in sorted(subjects.published):
            return self._published(call, pod, volume)
        for pod in sorted(subjects.pods):
            known = self._cluster.pods.get(pod)
            if known is None or not self._in_use(known, call.time):
                return Judgement(call, Verdict.UNASKED, f"pod {pod} was not on this node then, says the log")
        named = list(self._named(call))
        if not named and (strange := self._strange(call)):
            return Judgement(call, Verdict.UNASKED, strange)
        return self._staged(call, named or list(self._ties.volumes_of(call)))

    def _published(self, call: Call, uid: str, name: str) -> Judgement:
        pod = self._cluster.pods.get(uid)
        if pod is None:
            return Judgement(call, Verdict.UNASKED, f"the log knows no pod {uid}")
        if not self._in_use(pod, call.time):
            return Judgement(call, Verdict.UNASKED, f"pod {pod.title} was not on this node then")
        if pod.inline is not None and name in pod.inline:
            return Judgement(call, Verdict.ASKED, f"pod {pod.title}, its own volume {name}")
        volume = self._cluster.volumes.get(name)
        if volume is None:
            return Judgement(call, Verdict.UNASKED, f"the log knows no PersistentVolume {name}")
        if pod.claims is not None and not self._claims(pod, volume):
            text = f"pod {pod.title} does not use PersistentVolume {volume.name}"
            return Judgement(call, Verdict.UNASKED, text)
        return Judgement(call, Verdict.ASKED, f"pod {pod.title}, PersistentVolume {volume.name}")

    def _staged(self, call: Call, volumes: Sequence[PersistentVolume]) -> Judgement:
        for volume in volumes:
            if user := self._user(volume, call.time):
                return Judgement(call, Verdict.ASKED, f"{user}, PersistentVolume {volume.name}")
        if volumes:
            names = ", ".join(sorted(volume.name for volume in volumes))
            return Judgement(call, Verdict.UNASKED, f"nobody used PersistentVolume {names} then")
        if call.name in _OF_THE_NODE or (call.reads and not _names_storage(call)):
            return Judgement(call, Verdict.NODE, "about the node, no volume")
        if call.name == "Mkdir" and any(path in self._asked_paths for path in call.subjects.paths):
            return Judgement(call, Verdict.NODE, "a directory above those of volumes that were asked for")
        return Judgement(
            call, Verdict.UNASKED, f"{_about(call)} belongs to no PersistentVolume that was used"
        )

    def _strange(self, call: Call) -> str:
        """What a call names as a PersistentVolume's and the log does not know; "" for nothing."""
        for name in sorted(call.subjects.persistent_volumes):
            if name not in self._cluster.volumes:
                return f"the log knows no PersistentVolume {name}"
        for staging in sorted(call.subjects.stagings):
            return f"no volume's handle in the log has the digest {staging[:16]}… of the staging path"
        return ""

    def _named(self, call: Call) -> Iterator[PersistentVolume]:
        """The volumes that a call itself names, by path, share or target."""
        subjects, volumes = call.subjects, self._cluster.volumes
        for name in sorted(subjects.persistent_volumes):
            if name in volumes:
                yield volumes[name]
        for staging in sorted(subjects.stagings):
            if staging in self._by_staging:
                yield self._by_staging[staging]
        if subjects.shares or subjects.targets:
            for volume in volumes.values():
                if volume.shares & subjects.shares or volume.targets & subjects.targets:
                    yield volume

    # --- who uses a volume, and when

    def _users_of_volumes(self) -> dict[str, list[Pod]]:
        users: dict[str, list[Pod]] = {}
        for pod in {id(pod): pod for pod in self._cluster.pods.values()}.values():
            for claim in pod.claims or ():
                name = self._cluster.volume_of(claim)
                if name:
                    users.setdefault(name.lower(), []).append(pod)
        return users

    def _claims(self, pod: Pod, volume: PersistentVolume) -> bool:
        return pod in self._users.get(volume.name.lower(), ())

    def _user(self, volume: PersistentVolume, time: datetime) -> str:
        """Who used a volume at a time, in words; "" for nobody."""
        for pod in self._users.get(volume.name.lower(), ()):
            if self._in_use(pod, time):
                return f"pod {pod.title}"
        for asked, node in self._cluster.attached.get(volume.name.lower(), ()):
            ended = volume.ended is not None and time > volume.ended + self._options.after
            if asked - self._options.before <= time and self._is_here(node) and not ended:
                return "a VolumeAttachment"
        return ""

    def _in_use(self, pod: Pod, time: datetime) -> bool:
        began = pod.seen is None or pod.seen - self._options.before <= time
        goes_on = pod.ended is None or time <= pod.ended + self._options.after
        return began and goes_on and self._is_here(pod.node)

    def _is_here(self, node: str) -> bool:
        return not (self._options.node and node) or node == self._options.node

    def _paths_above(self, calls: Iterable[Call]) -> frozenset[str]:
        """The directories above the paths of volumes that the log knows."""
        above: set[str] = set()
        for call in calls:
            if any(True for _ in self._named(call)):
                for path in call.subjects.paths:
                    while (cut := path.rfind("\\")) > len("c:"):
                        path = path[:cut]
                        above.add(path)
        return frozenset(above)


class _Ties:
    """Which PersistentVolumes the disks and volumes of Windows were, as the calls of a trail tell."""

    def __init__(self, calls: Iterable[Call], named: Callable[[Call], Iterable[PersistentVolume]]) -> None:
        self._disks: dict[str, list[tuple[datetime, str]]] = {}
        """The volumes of each disk number, and when that was said: numbers are used again."""
        self._volumes: dict[str, list[PersistentVolume]] = {}
        for call in calls:
            if not call.refused:
                self._learn(call, list(named(call)))

    def _learn(self, call: Call, named: Sequence[PersistentVolume]) -> None:
        subjects = call.subjects
        guids = set(subjects.volumes)
        if subjects.targets:  # a target's disk is its volume's, whatever is on it
            guids.update(f"on {volume.name}" for volume in named)
        for guid in guids:
            self._volumes.setdefault(guid, []).extend(named)
            for disk in subjects.disks:
                self._disks.setdefault(disk, []).append((call.time, guid))

    def volumes_of(self, call: Call) -> Iterator[PersistentVolume]:
        """The PersistentVolumes that the disks and volumes in a call were at its time."""
        guids = set(call.subjects.volumes)
        for disk in call.subjects.disks:
            said = self._disks.get(disk, ())
            if said:
                guids.add(min(said, key=lambda tie: abs(tie[0] - call.time))[1])
        for guid in sorted(guids):
            yield from self._volumes.get(guid, ())


def _names_storage(call: Call) -> bool:
    subjects = call.subjects
    return bool(subjects.disks or subjects.volumes or subjects.shares or subjects.targets)


def _about(call: Call) -> str:
    subjects = call.subjects
    for kind, names in (
        ("volume", subjects.volumes),
        ("disk", subjects.disks),
        ("share", subjects.shares),
        ("target", subjects.targets),
        ("path", subjects.paths),
    ):
        if names:
            return f"{kind} {min(names)}"
    return f"what {call.name} does"
