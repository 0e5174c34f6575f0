"""The files of the shares that are mapped: where links lead to, and the processes that show them there.

A share's files are below ``smb/SERVER/SHARE/files`` in the node's directory, while it is mapped.  Each mount
has a process of its own, which is told what to do through a pipe and ends, with its mount, when that closes.
"""

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import IO

from csiproxy.emulator import fuse, smb_mount
from csiproxy.emulator.smb_files import SHARE
from csiproxy.emulator.smb_session import Login
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.paths import check_name

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS smb_files (
         only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
         show     TEXT NOT NULL      -- the value of a Show
       )""",
)
DIRECTORY = "smb"
# How long a mount may take, and how long its process may take to end (seconds).
START_SECONDS, END_SECONDS = 30.0, 10.0
_MOUNTS = "/proc/self/mountinfo"


class Show(Enum):
    """Whether the files of shares are shown on this host: through FUSE, or not at all."""

    FUSE = "fuse"
    NONE = "none"


def chosen(state: State, now: Show | None) -> Show:
    """What the operator chooses now, or has chosen at an earlier start."""
    with state.transaction() as db:
        if now is not None:
            db.execute("INSERT OR REPLACE INTO smb_files VALUES (1, ?)", (now.value,))
        row = db.execute("SELECT show FROM smb_files").fetchone()
    return Show(row[0]) if row else Show.FUSE


class ShareMount:
    """One share's files, mounted if that was possible; ``problem`` says why not."""

    def __init__(self, directory: str, login: Login) -> None:
        self._directory = directory
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._process = subprocess.Popen(  # noqa: S603 - the program's own
            [sys.executable, "-m", smb_mount.__name__, directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._watcher = threading.Thread(target=self._watch, name=f"mount {directory}", daemon=True)
        self._watcher.start()
        self._give(login)
        self.problem = self._answer()
        if self.problem:
            self.close()

    @property
    def is_alive(self) -> bool:
        """Whether the files are there."""
        return self._process.poll() is None

    def close(self) -> None:
        """Take the mount away, whoever uses it; when this returns, nothing of it is left."""
        with suppress(OSError):
            _pipe(self._process.stdin).close()
        self._watcher.join(END_SECONDS)
        if self._watcher.is_alive():
            self._process.kill()
            self._watcher.join()
        _pipe(self._process.stdout).close()

    def _give(self, login: Login) -> None:
        """Tell the process where and as whom to log on; one that has ended already says so by its end."""
        orders = {
            "host": login.host,
            "port": login.port,
            "share": login.share,
            "user": login.user,
            "password": login.password,
            "privacy": login.privacy,
        }
        stdin = _pipe(self._process.stdin)
        with suppress(BrokenPipeError):
            stdin.write(json.dumps(orders).encode("ascii") + b"\n")
            stdin.flush()

    def _answer(self) -> str:
        """Wait for the mount; why there is none, "" when there is."""
        stdout = _pipe(self._process.stdout)
        if not select.select([stdout], [], [], START_SECONDS)[0]:
            return f"the mount took longer than {START_SECONDS:.0f} s"
        said = stdout.readline().decode("utf-8", "replace").strip()
        if said == smb_mount.READY:
            return ""
        return said.removeprefix(smb_mount.FAILED).strip() or "the process that mounts the share has died"

    def _watch(self) -> None:
        """A process that does not end as it is told to leaves a dead mount, which only gives errors."""
        self._process.wait()
        if self._directory in _mount_points():
            fuse.unmount(self._directory)


class Shares:
    """The places of shares in a node's directory, and the mounts there.  Thread-safe."""

    def __init__(self, directory: str, show: Show) -> None:
        self._directory = os.path.join(directory, DIRECTORY)
        self._show = show
        self._lock = threading.Lock()
        self._mounts: dict[str, ShareMount] = {}
        self._problems: dict[str, str] = {}
        self._take_stale_away()

    def directory(self, server: str, share: str) -> str:
        """The host directory of a share's files, whether they are there now or not."""
        for name in (server, share):
            check_name(name, "CreateSymbolicLinkW")
        return os.path.join(self._place(server, share), SHARE)

    def require_usable(self, server: str, share: str, call: str) -> None:
        """Refuse with 50 when the share is mapped and its files cannot be shown here."""
        with self._lock:
            problem = self._problems.get(self._place(server, share))
        if problem:
            raise Win32Error(
                WindowsCode.NOT_SUPPORTED,
                call,
                f"the files of shares cannot be shown on the emulated node's host: {problem}; "
                "or run the node with --smb-files none, and links to shares lead nowhere",
            )

    def mount(self, login: Login) -> None:
        """Show a share's files; where that is not possible, :meth:`require_usable` says so."""
        if self._show is Show.NONE:
            return
        place = self._place(login.server, login.share)
        try:
            mount = ShareMount(place, login)
            problem = mount.problem
        except OSError as error:
            problem = f"no process can be started there ({error.strerror})"
        with self._lock:
            if problem:
                self._problems[place] = problem
            else:
                self._mounts[place] = mount

    def is_shown(self, server: str, share: str) -> bool:
        """Whether nothing that was mounted has ended by itself."""
        with self._lock:
            mount = self._mounts.get(self._place(server, share))
        return mount is None or mount.is_alive

    def unmount(self, server: str, share: str) -> None:
        """Take a share's files away; none there is fine."""
        with self._lock:
            self._problems.pop(self._place(server, share), None)
            mount = self._mounts.pop(self._place(server, share), None)
        if mount is not None:
            mount.close()

    def close(self) -> None:
        """Take all files away."""
        with self._lock:
            mounts, self._mounts = self._mounts, {}
        for mount in mounts.values():
            mount.close()

    def _place(self, server: str, share: str) -> str:
        return os.path.join(self._directory, server.lower(), share.lower())

    def _take_stale_away(self) -> None:
        """Take away what the mounts of an earlier node have left, if those were killed as well."""
        for mountpoint in _mount_points():
            if mountpoint.startswith(self._directory + "/"):
                fuse.unmount(mountpoint)


# https://man7.org/linux/man-pages/man5/proc.5.html: how a mount point is written there
_ESCAPES: Mapping[str, str] = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


def _mount_points() -> list[str]:
    """Where something is mounted on this host; nothing on a host without such a list."""
    try:
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            return [_unescaped(line.split(" ")[4]) for line in file]
    except OSError:
        return []


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - it was asked for
    return stream
