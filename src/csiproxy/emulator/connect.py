"""A host port on an emulated node, which is started when none runs."""

import os
import sys
import threading
import time
from collections.abc import Sequence

from csiproxy.emulator import locks, sockets
from csiproxy.emulator.pool import Pool
from csiproxy.emulator.remote import RemoteNamespace, RemoteSession
from csiproxy.emulator.win32 import EmulatedWin32
from csiproxy.errors import HostUnreachable, Win32Error
from csiproxy.host import Host

LOG = "node.log"

# How long a node may take until it answers, with all its images to open (seconds).
START_SECONDS = 30.0
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.1


def connect(
    directory: str,
    *,
    start: bool = True,
    command: Sequence[str] | None = None,
    volumes: str | None = None,
) -> Host:
    """The port on the node of a directory, or through the entrance whose token file this is.

    With ``start`` a node is started when none runs, by ``command`` (default: ``csi-proxy emulator run``, with
    ``volumes`` as its ``--volumes``); it outlives this process and is never started again by itself.
    HostUnreachable when it does not answer.
    """
    if os.path.isfile(directory):
        from csiproxy.emulator.entering import enter  # here, as few go that way

        return enter(directory)
    directory = os.path.realpath(directory)
    pool = Pool(lambda: sockets.dial(directory))
    try:
        pool.greeting()
    except HostUnreachable:
        if not start or _answers(directory):
            raise
        start_node(directory, command or default_command(directory, volumes))
        pool.greeting()
    # A proxy that was killed may have held some.
    locks.clear_abandoned(pool.greeting().places.locks)
    return Host(RemoteSession(pool), EmulatedWin32(RemoteNamespace(pool)))


def start_node(directory: str, command: Sequence[str] | None = None) -> None:
    """Start a node and return when it answers; one that somebody else has started meanwhile will do."""
    directory = os.path.realpath(directory)
    try:
        os.makedirs(os.path.join(directory, "locks"), mode=0o700, exist_ok=True)
        with locks.held(os.path.join(directory, "locks"), "start", START_SECONDS):
            if not _answers(directory):
                _launch(directory, command or default_command(directory))
    except (OSError, Win32Error) as error:
        raise HostUnreachable(f"no node can be started on {directory}: {error}") from error


def default_command(directory: str, volumes: str | None = None) -> list[str]:
    """The command that runs the node of a directory; ``volumes`` None: with its store as it was."""
    store = [] if volumes is None else ["--volumes", volumes]
    return [sys.executable, "-m", "csiproxy", "emulator", "run", "--state", directory, *store]


def _answers(directory: str) -> bool:
    try:
        sockets.dial(directory).close()
    except OSError:
        return False
    return True


def _launch(directory: str, command: Sequence[str]) -> None:
    import subprocess  # costs more to import than everything else here, and a running node needs none of it

    path = os.path.join(directory, LOG)
    with open(path, "ab") as log:
        begin = log.tell()
        child = subprocess.Popen(  # noqa: S603 - the command is the program's own
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    # Somebody must take note of its end, however much later, or it would stay a zombie of this process.
    threading.Thread(target=child.wait, name="node", daemon=True).start()
    deadline = time.monotonic() + START_SECONDS
    pause = FIRST_PAUSE
    while not _answers(directory):
        if child.poll() is not None:
            raise HostUnreachable(f"the node on {directory} ended at its start: {_last_line(path, begin)}")
        if time.monotonic() > deadline:
            raise HostUnreachable(f"the node on {directory} does not answer; its log is {path}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _last_line(path: str, begin: int) -> str:
    """The last line that a process wrote to its log, from ``begin`` on."""
    with open(path, "rb") as log:
        log.seek(begin)
        lines = log.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"it wrote nothing to {path}"
