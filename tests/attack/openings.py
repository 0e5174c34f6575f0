"""Who opens, lists or changes a directory in which nobody has any business: told by the kernel (Linux).

https://man7.org/linux/man-pages/man7/inotify.7.html
"""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable

_EVENT = struct.Struct("iIII")
_NAMES = {
    0x001: "read", 0x002: "written to", 0x004: "changed", 0x010: "closed", 0x020: "opened",
    0x040: "moved from", 0x080: "moved to", 0x100: "created", 0x200: "deleted", 0x400: "deleted itself",
    0x800: "moved itself",
}  # fmt: skip
_ALL = sum(_NAMES)
_OVERFLOW = 0x4000


class Openings:
    """Watches directories, each and what is directly in it.  On another host it sees nothing."""

    def __init__(self, directories: Iterable[str]) -> None:
        self._descriptor = -1
        self._names: dict[int, str] = {}
        if sys.platform != "linux":
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        for directory in directories:
            watch = libc.inotify_add_watch(self._descriptor, os.fsencode(directory), ctypes.c_uint32(_ALL))
            if watch < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", directory)
            self._names[watch] = directory

    @property
    def sees(self) -> bool:
        """Whether the host tells."""
        return self._descriptor >= 0

    def seen(self) -> list[str]:
        """What happened since it was asked last, in words."""
        found: list[str] = []
        while self.sees:
            try:
                data = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                break
            while data:
                watch, mask, _, length = _EVENT.unpack_from(data)
                name = os.fsdecode(data[_EVENT.size : _EVENT.size + length].rstrip(b"\0"))
                data = data[_EVENT.size + length :]
                acts = [word for bit, word in _NAMES.items() if mask & bit]
                if mask & _OVERFLOW:
                    acts.append("too much to tell")
                found.append(f"{os.path.join(self._names.get(watch, ''), name)}: {', '.join(acts)}")
        return found

    def close(self) -> None:
        """Stop watching."""
        if self.sees:
            os.close(self._descriptor)
            self._descriptor = -1
