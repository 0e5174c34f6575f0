"""``csi-proxy serve`` in a Wine prefix, over an emulated node in this process."""

import json
import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping
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

    def __init__(self, prefix: Prefix, *flags: str, environment: Mapping[str, str] | None = None) -> None:
        self.prefix = prefix
        command = prefix.python, "-c", _UNTIL_INPUT_ENDS, *flags
        self.process = prefix.start(*command, environment=environment, stdin=subprocess.PIPE)
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
        """The audit records of calls so far."""
        lines = (json.loads(line) for line in list(self.log) if line.startswith("{"))
        return [line for line in lines if "rpc" in line]

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
def serving(
    prefix: Prefix, found: Entered | None, *flags: str, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """A proxy on the node, None for the prefix itself, which is killed in the end if it still runs."""
    host = () if found is None else ("--host", f"emulator:{windows_path(found.token_file)}")
    served = Served(prefix, "serve", *host, *flags, environment=environment)
    try:
        served.ready()
        yield served
    finally:
        served.kill()


# Makes calls of the command line, one for each line of standard input: a Python for each takes seconds.
_CALLS = """
import contextlib, io, json, sys
from csiproxy.cli.commands import main
for line in sys.stdin:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["call", *json.loads(line), "-o", "json"])
    print(json.dumps([code, out.getvalue()]), flush=True)
"""


class Refused(Exception):
    """A call was refused: its Windows code and its gRPC status."""

    def __init__(self, error: dict) -> None:
        super().__init__(error)
        self.code = error["windows_code"]
        self.status = error["status"]


class Caller:
    """A Windows Python that makes calls with ``csi-proxy call``."""

    def __init__(self, prefix: Prefix) -> None:
        self._process = prefix.start(prefix.python, "-c", _CALLS, stdin=subprocess.PIPE, stderr=None)

    def __call__(self, contract: str, rpc: str, **fields: object) -> dict:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps([contract, rpc, json.dumps(fields)]) + "\n")
        stdin.flush()
        code, said = json.loads(stdout.readline())
        answer = json.loads(said)
        if code:
            raise Refused(answer["error"])
        return answer

    def close(self) -> None:
        self._process.communicate()
