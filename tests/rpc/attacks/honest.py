"""Honest clients in a process of their own: ours and grpcio call as long as the test wants.

``python -m tests.rpc.attacks.honest TALLY`` reads the path of a socket from standard input, calls until a
line says stop, answers with what failed, and waits for the next path.  Calls that succeeded are counted in
the file TALLY, so that a test sees them while it attacks.
"""

import json
import mmap
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread

PATIENCE = 20.0
METHOD = "/v1.Test/Echo"
KINDS = ("a channel", "new channels", "grpcio")
_FAILURES = len(KINDS)
_COUNT = struct.Struct("<Q")
_PAUSE = 0.002  # the attacker shall get processors, too


class Tally:
    """Counts that two processes see."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(bytes(_COUNT.size * (len(KINDS) + 1)))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def count(self, kind: int) -> None:
        at = _COUNT.size * kind
        self._memory[at : at + _COUNT.size] = _COUNT.pack(_COUNT.unpack_from(self._memory, at)[0] + 1)

    def read(self) -> list[int]:
        """Calls that succeeded, by kind."""
        return [one for (one,) in _COUNT.iter_unpack(self._memory[:])][:_FAILURES]

    @property
    def failures(self) -> int:
        found: int = _COUNT.unpack_from(self._memory, _COUNT.size * _FAILURES)[0]
        return found


class Honest:
    """The process, as the test sees it."""

    def __init__(self, directory: Path) -> None:
        self._tally = Tally(directory / "tally", create=True)
        self._calling = False
        self._failures = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.rpc.attacks.honest", str(directory / "tally")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def begin(self, path: str) -> None:
        """Begin to call; come back when each of the clients has been answered."""
        self._say(path)
        self._calling = True
        self._failures = self._tally.failures
        self.call(1)

    def call(self, times: int) -> None:
        """Wait until each of the clients has been answered so often again."""
        aim = [count + times for count in self._tally.read()]
        end = time.monotonic() + PATIENCE
        while any(count < wanted for count, wanted in zip(self._tally.read(), aim, strict=True)):
            assert self._tally.failures == self._failures, self.stop()
            assert time.monotonic() < end, "honest clients wait in vain"
            time.sleep(_PAUSE)

    def stop(self) -> list[str]:
        """Stop calling; give what failed."""
        if not self._calling:
            return []
        self._calling = False
        self._say("stop")
        assert self._process.stdout is not None
        failures: list[str] = json.loads(self._process.stdout.readline())
        return failures

    def end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(PATIENCE) == 0
        self._process.stdout.close()


def _messages() -> Callable[[], bytes]:
    chance = Random(7)
    return lambda: chance.randbytes(chance.choice([0, 30, 30, 3000, 40_000]))


def _keep_calling(
    kind: int, call: Callable[[bytes], bytes], tally: Tally, stop: Event, failed: list[str]
) -> None:
    message = _messages()
    while not stop.wait(_PAUSE):
        question = message()
        try:
            assert call(question) == question
        except Exception as error:  # noqa: BLE001  the test shows it
            failed.append(f"{KINDS[kind]}: {error!r}")
            tally.count(_FAILURES)
            return
        tally.count(kind)


def _serve(path: str, tally: Tally, stop: Event, failed: list[str]) -> None:
    import grpc

    from csiproxy.rpc.channel import Channel
    from csiproxy.rpc.unix import connect

    def fresh(message: bytes) -> bytes:
        with Channel(lambda: connect(path)) as channel:
            return channel.call(METHOD, message, timeout=PATIENCE)

    with Channel(lambda: connect(path)) as channel, grpc.insecure_channel(f"unix:{path}") as other:
        foreign = other.unary_unary(METHOD)
        calls = (
            lambda message: channel.call(METHOD, message, timeout=PATIENCE),
            fresh,
            lambda message: foreign(message, timeout=PATIENCE),
        )
        threads = [
            Thread(target=_keep_calling, args=(kind, call, tally, stop, failed))
            for kind, call in enumerate(calls)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main() -> None:
    tally = Tally(Path(sys.argv[1]))
    with suppress(EOFError):
        while True:
            path = input()
            stop, failed = Event(), []
            calling = Thread(target=_serve, args=(path, tally, stop, failed))
            calling.start()
            input()
            stop.set()
            calling.join()
            print(json.dumps(failed), flush=True)


if __name__ == "__main__":
    main()
