"""What the plugin has to remember between calls: one small file a volume, written before anything is done.

NodeUnstageVolume names a volume and a path and nothing else; which share or target is to be let go of has to
be known from before.  The file says what was going to be done (``staged`` false) and that it was done, so a
plugin that was killed in between knows what may be there.  No secret is in it.

A file is replaced as a whole: written beside, flushed, renamed.
"""

import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from threading import Lock
from typing import Final

from csiproxy.node.plugin.capability import Kind, Use
from csiproxy.node.plugin.requests import same_path

_ENDING: Final = ".json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Target:
    """A path at which a volume is published, and how."""

    path: str
    use: Use
    read_only: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where a volume's bytes come from, as far as it has to be let go of.

    ``share`` is of SMB; ``portal_address``, ``portal_port``, ``iqn`` are of iSCSI, and ``portal_added`` says
    that the portal was not known to the node before.  ``partition`` is 0 where a disk has one volume.
    """

    kind: Kind
    partition: int = 0
    share: str = ""
    portal_address: str = ""
    portal_port: int = 0
    iqn: str = ""
    portal_added: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    r"""A volume on this node.

    ``volume`` is the Windows one (``\\?\Volume{…}\``), "" where it is not known or there is none.
    """

    volume_id: str
    staging_path: str
    use: Use
    source: Source
    volume: str = ""
    staged: bool = False
    read_only: bool = False
    targets: tuple[Target, ...] = field(default=())

    def target(self, path: str) -> Target | None:
        """The target of that path, published or about to be."""
        return next((target for target in self.targets if same_path(target.path, path)), None)

    def with_target(self, target: Target) -> "Record":
        """The same volume, published there too."""
        return replace(self, targets=(*self.without_target(target.path).targets, target))

    def without_target(self, path: str) -> "Record":
        """The same volume, not published there."""
        return replace(self, targets=tuple(t for t in self.targets if not same_path(t.path, path)))


class Records:
    """The volumes of this node, in a directory.  Threads share it; each volume is its caller's own."""

    def __init__(self, directory: str) -> None:
        """Read what is there; OSError when the directory cannot be made or read."""
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._directory = directory
        self._lock = Lock()
        self._records: dict[str, Record] = {}
        for name in sorted(os.listdir(directory)):
            if name.endswith(_ENDING):
                record = _read(os.path.join(directory, name))
                if record is not None:
                    self._records[record.volume_id] = record
            else:
                with suppress(OSError):  # what a killed plugin was writing
                    os.unlink(os.path.join(directory, name))

    def get(self, volume_id: str) -> Record | None:
        """What is known of a volume."""
        with self._lock:
            return self._records.get(volume_id)

    def staged_at(self, path: str) -> bool:
        """Whether a volume is staged at a path, or about to be."""
        with self._lock:
            return any(same_path(record.staging_path, path) for record in self._records.values())

    def others(self, volume_id: str, which: Callable[[Source], bool]) -> Iterable[Record]:
        """The other volumes whose source is such a one."""
        with self._lock:
            return [r for r in self._records.values() if r.volume_id != volume_id and which(r.source)]

    def put(self, record: Record) -> None:
        """Remember a volume; it is on disk when this returns."""
        path = self._path(record.volume_id)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump({"format": _FORMAT, **asdict(record)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".new", path)
        with self._lock:
            self._records[record.volume_id] = record

    def remove(self, volume_id: str) -> None:
        """Forget a volume."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(volume_id))
        with self._lock:
            self._records.pop(volume_id, None)

    def _path(self, volume_id: str) -> str:
        """A volume's id may hold any character; its file's name does not."""
        name = sha256(volume_id.encode("utf-8", "surrogatepass")).hexdigest()
        return os.path.join(self._directory, name + _ENDING)


def _read(path: str) -> Record | None:
    """Read a record; None for what is none, which is left where it is."""
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        if found.pop("format") != _FORMAT:
            return None
        use = Use(**found.pop("use"))
        source = found.pop("source")
        targets = tuple(
            Target(target["path"], Use(**target["use"]), target["read_only"])
            for target in found.pop("targets")
        )
        return Record(
            use=use, source=Source(**{**source, "kind": Kind(source["kind"])}), targets=targets, **found
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
