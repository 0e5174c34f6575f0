r"""Which links below the pods' directory lead to a place: how a pod uses a volume that is mounted elsewhere.

Kubelet's layout is walked, ``<pod>\volumes\<plugin>\<volume>``, and for CSI the names in it.  Nothing that a
pod can fill is looked into, so neither a pod's files nor their number matter here.
"""

from collections.abc import Iterator, Sequence
from functools import partial

from csiproxy.errors import Win32Error
from csiproxy.host.names import equality_key
from csiproxy.host.win32 import Directory, EntryKind, Win32
from csiproxy.storage.codes import judged
from csiproxy.storage.namespace import ConfinedPath

_VOLUMES, _CSI = "volumes", "kubernetes.io~csi"
_POD, _KIND, _PLUGIN, _VOLUME = 1, 2, 3, 4


class PodLinks:
    """The links of pods below ``prefix``, the directory of all pods."""

    def __init__(self, win32: Win32, prefix: str) -> None:
        self._win32 = win32
        self._prefix = prefix

    def leading_to(self, places: Sequence[str], leaving: str = "") -> ConfinedPath | None:
        """A link that leads to one of the places, or to something below it; None when there is none.

        Links that lie at or below the path ``leaving`` do not count.
        """
        left = equality_key(leaving)
        wanted = [equality_key(place.rstrip("\\")) for place in places]
        with judged(f"look for links of pods in {self._prefix}"):
            try:
                root = self._win32.open_root(self._prefix)
            except Win32Error:
                return None  # no pods' directory, no pods
            with root:
                for path, target in self._links(root, ()):
                    key = equality_key(target.rstrip("\\"))
                    found = ConfinedPath(self._prefix, path)
                    if any(map(partial(_is_at, key), wanted)) and not _is_at(equality_key(str(found)), left):
                        return found
        return None

    def _links(self, directory: Directory, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
        for entry in self._win32.entries(directory):
            here = (*path, entry.name)
            if entry.kind.is_link:
                yield here, entry.target
            elif entry.kind is EntryKind.DIRECTORY and _is_kubelets(here):
                try:
                    child = self._win32.open_child(directory, entry.name)
                except Win32Error:
                    continue  # gone meanwhile, or no directory any more
                with child:
                    yield from self._links(child, here)


def _is_at(key: str, place: str) -> bool:
    """Whether a path is a place or lies below it."""
    return bool(place) and (key == place or key.startswith(place + "\\"))


def _is_kubelets(path: tuple[str, ...]) -> bool:
    """Whether only kubelet and what it has called put names into this directory."""
    depth = len(path)
    if depth == _KIND:
        return path[-1].lower() == _VOLUMES
    return depth in (_POD, _PLUGIN) or (depth == _VOLUME and path[-2].lower() == _CSI)
