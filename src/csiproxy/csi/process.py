"""The life of a process that serves: ready, served until it is told to end, and gone without a trace."""

import os
import queue
import signal
from collections.abc import Callable

from csiproxy.rpc.server import Server

GRACE_SECONDS = 10.0


class Ending:
    """Waits for the word to end: SIGTERM, SIGINT, or :meth:`end` from any thread.

    Make it before anything is opened, so that a signal from then on means an orderly end.
    """

    def __init__(self) -> None:
        # SimpleQueue.put may interrupt a get of the same thread; the lock inside threading.Event may not.
        self._codes: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._codes.put(0))

    def end(self, code: int) -> None:
        """Have the process end with an exit code."""
        self._codes.put(code)

    def wait(self) -> int:
        """Return the exit code once somebody has given the word."""
        return self._codes.get()


def serve(server: Server, ending: Ending, announce: Callable[[], None]) -> int:
    """Serve what was added to ``server`` until the end; return the exit code."""
    server.start()
    announce()
    code = ending.wait()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever presses Ctrl-C twice does not want to wait
    server.stop(GRACE_SECONDS)
    return code


def write_ready(descriptor: int | None) -> None:
    """Write READY and a line feed to a descriptor that was inherited, and close it; None: nobody asked."""
    if descriptor is None:
        return
    try:
        os.write(descriptor, b"READY\n")
    except OSError:
        pass  # whoever wanted to know has gone
    finally:
        os.close(descriptor)
