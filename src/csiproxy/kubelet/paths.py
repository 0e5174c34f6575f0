r"""Paths as kubelet on Windows spells them, and where they are on the machine that this process runs on.

One rule for every path that comes from a watch, a flag or a plugin: each ``/`` is a ``\``, and what begins
with ``\`` is on drive ``c:``.  That is how Kubernetes itself normalises (NormalizePath), so ``\var\lib`` and
``c:/var/lib`` are the same place; keys are compared without regard to case, as the drive's letter comes in
both.
"""

import os
import re
from dataclasses import dataclass

from csiproxy.errors import InvalidArgument
from csiproxy.mounter.paths import SEPARATOR, normalised

_ROOTED = re.compile(r"[Cc]:\\")


def key(path: str) -> str:
    """Return what two spellings of a path have in common."""
    return normalised(path).casefold()


def join(directory: str, *names: str) -> str:
    """Return the path of something below a directory."""
    return SEPARATOR.join([directory.removesuffix(SEPARATOR), *names])


@dataclass(frozen=True, slots=True)
class Drive:
    r"""Drive ``C:``, and the directory of this machine that holds what is on it.

    On Windows it is the drive itself, and ``directory`` is ``C:\``.  For an emulated node it is a
    directory of the host, by default ``c`` in the node's own.
    """

    directory: str

    def on_host(self, path: str) -> str:
        """Where a Windows path is on this machine; InvalidArgument for one that is not on drive C:."""
        spelt = normalised(path)
        names = [name for name in spelt[3:].split(SEPARATOR) if name]
        if not _ROOTED.match(spelt) or not {".", ".."}.isdisjoint(names) or "\0" in path:
            raise InvalidArgument(f"'{path}' is no path on drive C:")
        return os.path.join(self.directory, *names)

    def windows(self, path: str) -> str:
        r"""The Windows path of something on the drive, as kubelet's rule spells it (``c:\…``)."""
        inside = os.path.relpath(path, self.directory)
        if inside == os.curdir:
            return "c:\\"
        return normalised("/" + inside)
