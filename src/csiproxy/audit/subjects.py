r"""What a call is about, read from its record: disks, volumes, paths, and what Kubernetes calls them.

Kubelet's paths name the pod and the PersistentVolume (``…\pods\<uid>\volumes\kubernetes.io~csi\<pv>\mount``)
or, where a volume is staged, the SHA-256 of the volume's handle
(``…\plugins\kubernetes.io\csi\<driver>\<digest>\globalmount``; before Kubernetes 1.24 ``…\csi\pv\<pv>\…``).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_DISK_FIELDS: Final = frozenset({"disk_number", "disk_id", "diskid", "diskids", "disk_device"})
_DRIVE: Final = re.compile(r"(?:\\\\\.\\PhysicalDrive)?([0-9]{1,10})", re.IGNORECASE)
_VOLUME: Final = re.compile(
    r"volume\{([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}", re.IGNORECASE
)
_PATH: Final = re.compile(r"(?:\\\\\?\\)?[A-Za-z]:[\\/]|[\\/](?![\\/])")
_SHARE: Final = re.compile(r"(?:\\\\|//)([^\\/?.][^\\/]*)[\\/]+([^\\/]+)")
_TARGET_FIELDS: Final = frozenset({"iqn", "node_iqn"})
_POD: Final = re.compile(
    r"\\pods\\([^\\]+)(?:\\volumes(?:pec)?\\[^\\]+\\([^\\]+)|\\volumedevices\\[^\\]+\\([^\\]+))?"
)
_STAGED: Final = re.compile(
    r"\\plugins\\kubernetes\.io\\csi\\(?:pv\\([^\\]+)|[^\\]+\\([0-9a-f]{64}))(?:\\|$)"
)


@dataclass(frozen=True, slots=True)
class Subjects:
    r"""What a call names, each text in lower case, as Windows compares names.

    ``disks`` are numbers, ``volumes`` GUIDs, ``paths`` with backslashes and without a drive's ``c:`` missing
    (a rooted path is on ``c:``); ``pods`` are UIDs; ``stagings`` SHA-256 of volume handles; ``shares``
    ``\\server\share``; ``targets`` iSCSI names.  ``published`` joins a pod and the volume in one path.
    """

    disks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    pods: frozenset[str] = frozenset()
    persistent_volumes: frozenset[str] = frozenset()
    published: frozenset[tuple[str, str]] = frozenset()
    stagings: frozenset[str] = frozenset()
    shares: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()


def subjects_of(record: Mapping[str, object]) -> Subjects:
    """Read the subjects from a record's arguments and answer."""
    found = _Found()
    for part in (record.get("arguments"), record.get("answer")):
        for name, value in _leaves("", part):
            found.take(name.lower(), value)
    return found.subjects()


def path_of(text: str) -> str:
    r"""A path as subjects have it: ``c:\…`` in lower case, without a last backslash."""
    path = text.replace("/", "\\").lower().removeprefix("\\\\?\\").rstrip("\\")
    return f"c:{path}" if path.startswith("\\") else path


def share_of(text: str) -> str:
    r"""The root of a share (``\\server\share``) in lower case; "" for a text that names none."""
    found = _SHARE.match(text)
    return f"\\\\{found[1]}\\{found[2]}".lower() if found else ""


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(str(key), inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(name, inner)
    else:
        yield name, value


class _Found:
    def __init__(self) -> None:
        self._disks: set[str] = set()
        self._volumes: set[str] = set()
        self._paths: dict[str, None] = {}
        self._pods: set[str] = set()
        self._persistent: set[str] = set()
        self._published: set[tuple[str, str]] = set()
        self._stagings: set[str] = set()
        self._shares: set[str] = set()
        self._targets: set[str] = set()

    def take(self, name: str, value: object) -> None:
        """One field of a request or reply."""
        if name in _DISK_FIELDS and isinstance(value, int | str) and not isinstance(value, bool):
            if number := _DRIVE.fullmatch(str(value)):
                self._disks.add(str(int(number[1])))
            return
        if not isinstance(value, str):
            return
        if name in _TARGET_FIELDS:
            self._targets.add(value.lower())
            return
        self._volumes.update(guid.lower() for guid in _VOLUME.findall(value))
        if share := share_of(value):
            self._shares.add(share)
        elif _PATH.match(value):
            self._path(path_of(value))

    def _path(self, path: str) -> None:
        self._paths[path] = None
        for pod, mounted, block in _POD.findall(path):
            self._pods.add(pod)
            if volume := mounted or block:
                self._persistent.add(volume)
                self._published.add((pod, volume))
        for volume, staging in _STAGED.findall(path):
            if volume:
                self._persistent.add(volume)
            else:
                self._stagings.add(staging)

    def subjects(self) -> Subjects:
        """All that was found."""
        return Subjects(
            frozenset(self._disks),
            frozenset(self._volumes),
            tuple(self._paths),
            frozenset(self._pods),
            frozenset(self._persistent),
            frozenset(self._published),
            frozenset(self._stagings),
            frozenset(self._shares),
            frozenset(self._targets),
        )
