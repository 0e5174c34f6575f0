"""Who ends the daemon: a shell or process manager by signals, a console, Windows' service control manager."""

import os
import queue
import signal
import sys
from collections.abc import Callable
from typing import Protocol


class Supervisor(Protocol):
    """Waits for the word to stop, and is told how things stand."""

    def serving(self) -> None:
        """Calls are answered from now on."""
        ...

    def wait(self) -> None:
        """Block until the daemon is to stop."""
        ...

    def stopping(self, seconds: float) -> None:
        """The end has begun and may take so long."""
        ...


def keep_memory_private() -> None:
    """Let no crash leave the memory of this process in a file: requests may hold secrets while they run."""
    if sys.platform != "win32":
        from resource import RLIMIT_CORE, setrlimit

        setrlimit(RLIMIT_CORE, (0, 0))


def foreground() -> Supervisor:
    """Whoever started this process."""
    if sys.platform == "win32":
        from csiproxy.windows.console import Console

        return Console()
    else:  # noqa: RET505  mypy tells platforms apart by branches only
        return Signals()


class NoService(Exception):
    """This process is no Windows service; the text says why."""


def as_service(serve: Callable[[Supervisor], int]) -> int:
    """Run ``serve`` under Windows' service control manager; give its exit code.  Raise NoService."""
    if sys.platform == "win32":
        from csiproxy.windows import service_host

        try:
            return service_host.run(serve)
        except (OSError, service_host.NotStartedAsService) as error:
            raise NoService(str(error)) from error
    else:
        raise NoService("there is no service control manager on this system: leave out --windows-service")


def service_problem() -> str:
    """Say why this program must not run as a service from where it lies; "" when it may."""
    if sys.platform == "win32":
        from csiproxy.windows import folder_guard

        # Of a program that was built, the second is the folder of its libraries.
        parts = os.path.dirname(sys.executable), getattr(sys, "_MEIPASS", os.path.dirname(__file__))
        places = sorted({os.path.abspath(part) for part in parts})
        return next((problem for place in places if (problem := folder_guard.problem_with(place))), "")
    else:  # noqa: RET505  as above
        return ""


def service_log() -> str:
    """Where a service logs unless the operator says otherwise; its folder is made.  Raise OSError."""
    if sys.platform == "win32":
        from csiproxy.windows import service_log as place

        return place.prepare()
    else:  # noqa: RET505  as above
        raise OSError("there is no such place on this system")


class Signals:
    """SIGTERM and SIGINT; from its making on they mean an orderly end."""

    def __init__(self) -> None:
        # SimpleQueue.put may interrupt a get of the same thread; the lock inside threading.Event may not.
        self._received: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: self._received.put(number))

    def serving(self) -> None:
        """Nobody has to be told."""

    def wait(self) -> None:
        """Block until a signal comes."""
        self._received.get()

    def stopping(self, seconds: float) -> None:  # noqa: ARG002  nobody asks how long
        """Let a second Ctrl-C end the process: whoever presses it twice does not want to wait."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
