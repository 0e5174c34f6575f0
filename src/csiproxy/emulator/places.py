r"""Where the drives of the emulated node are on the host, and what Windows calls a path of the host."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from csiproxy.host.names import fault
from csiproxy.host.paths import check_name


@dataclass(frozen=True, slots=True)
class Places:
    """The node's drives (capital letter to the real path of a host directory) and its directory of locks.

    ``roots`` has the drives the other way round: host directory to Windows root (``C:``).
    """

    drives: Mapping[str, str]
    locks: str
    roots: Mapping[str, str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        roots = {directory: f"{letter}:" for letter, directory in self.drives.items()}
        object.__setattr__(self, "roots", roots)


def join(root: str, parts: list[str]) -> str:
    r"""A Windows path without a last backslash; ``root`` is ``C:`` or ``\\?\Volume{guid}``."""
    return "\\".join([root, *parts])


def windows_path(path: str, roots: Mapping[str, str], call: str) -> str | None:
    """What Windows calls a host path: the longest of ``roots`` (host directory to Windows root) it is under.

    None when it is under none of them; a host name that Windows cannot have is ERROR_INVALID_NAME (123).
    """
    best = ""
    for root in roots:
        if len(root) > len(best) and (path == root or path.startswith(root.rstrip("/") + "/")):
            best = root
    if not best:
        return None
    try:
        return roots[best] + _windows_names(path[len(best) :])
    except ValueError:
        for part in path[len(best) :].split("/"):
            if part:
                check_name(part, call)
        raise


@lru_cache(maxsize=128)
def _windows_names(path: str) -> str:
    """The names below a root as Windows writes them; ValueError when it cannot have one of them."""
    parts = [part for part in path.split("/") if part]
    if any(fault(part) for part in parts):
        raise ValueError
    return "".join(f"\\{part}" for part in parts)


def host_path(root: str, parts: list[str]) -> str:
    """The host path of names below a host directory; each name was checked."""
    return os.path.join(root, *parts)
