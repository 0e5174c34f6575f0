"""``csi-proxy serve`` in a Wine prefix, over an emulated node in this process."""

import json
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.emulator.entered import Entered, entered
from tools.wine.prefix import Prefix, windows_path

from csiproxy.emulator.machine import Machine

SECONDS = 120.0

# A Windows Python that runs this asks a proxy for its health.
ASK_HEALTH = """
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.pipe import connect
with Channel(lambda: connect(r"\\\\.\\pipe\\csi-proxy-disk-v1")) as channel:
    print(channel.call("/grpc.health.v1.Health/Check", b"", timeout=60))
"""

# Ends at the end of standard input, as Wine's consoles cannot be told from outside.
_UNTIL_INPUT_ENDS = """
import ctypes, sys, threading
from csiproxy.cli import main
kernel32 = ctypes.WinDLL("kernel32")
kernel32.FreeConsole()
kernel32.AllocConsole()
def watch():
    sys.stdin.read()
    kernel32.GenerateConsoleCtrlEvent(0, 0)
threading.Thread(target=watch, daemon=True).start()
sys.argv[0] = "csi-proxy"
sys.exit(main())
"""


class Served:
    """A serve process that said it is ready; ``announced`` is what it said."""

    def __init__(self, prefix: Prefix, *flags: str) -> None:
        self.prefix = prefix
        self.process = prefix.start(prefix.python, "-c", _UNTIL_INPUT_ENDS, *flags, stdin=subprocess.PIPE)
        self.log: list[str] = []
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._read, args=(self.process.stdout, self._lines.put)),
            threading.Thread(target=self._read, args=(self.process.stderr, self.log.append)),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, stream, put) -> None:
        for line in stream:
            put(line)
        put("")

    def ready(self) -> str:
        """The line that says so."""
        said = self._lines.get(timeout=SECONDS)
        assert said.startswith("ready: "), (said, "".join(self.log))
        return said

    def records(self) -> list[dict]:
        """The audit records so far."""
        return [json.loads(line) for line in list(self.log) if line.startswith("{")]

    def stop(self) -> int:
        """Have it end in order; give the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(SECONDS)
        for thread in self._threads:
            thread.join()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.stderr.close()


@contextmanager
def node(directory: Path) -> Iterator[Entered]:
    """An emulated node with an entrance."""
    with Machine(str(directory / "node")) as machine, entered(machine, str(directory / "token")) as found:
        yield found


@contextmanager
def serving(prefix: Prefix, found: Entered, *flags: str) -> Iterator[Served]:
    """A proxy on the node, which is killed in the end if it still runs."""
    served = Served(prefix, "serve", "--host", f"emulator:{windows_path(found.token_file)}", *flags)
    try:
        served.ready()
        yield served
    finally:
        served.kill()
