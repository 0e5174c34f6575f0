"""The proxy of a soak: a process that is started again when it has died, as services are."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


class ProxyKeeper:
    """Runs one proxy after another on the same endpoints; ``serial`` is the number of the present one.

    All append to one audit trail, ``trail``, and to one log, ``log``.
    """

    LAUNCHER = (sys.executable, "-m", "csiproxy")

    def __init__(self, directory: Path, node: str, contracts: tuple[str, ...]) -> None:
        self.trail, self.log = directory / "audit.jsonl", directory / "proxy.log"
        self.endpoints = str(directory / "e")
        self._command = [*self.LAUNCHER, "serve", "--host", f"emulator:{node}", "--endpoints", self.endpoints]
        self._command += ["--serve", ",".join(contracts), "--audit-log", str(self.trail)]
        self._lock = threading.Lock()
        self._closing = False
        self.serial = 0
        self.deaths: list[int] = []  # how each has ended that was not told to
        self._process = self._start()
        self._watcher = threading.Thread(target=self._watch, name="keeper", daemon=True)
        self._watcher.start()

    @property
    def process(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """End the proxy as a crash does; its successor starts by itself."""
        with self._lock:
            if self._process.poll() is None:
                self._process.kill()

    @property
    def is_up(self) -> bool:
        """Whether a proxy runs and answers."""
        with self._lock:
            return self._process.poll() is None

    def close(self) -> int:
        """Stop it as an operator does; how it ended."""
        with self._lock:
            self._closing = True
            self._process.terminate()
        self._watcher.join()
        return self._process.returncode

    def _start(self) -> subprocess.Popen[bytes]:
        ready, told = os.pipe()
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                [*self._command, "--ready-fd", str(told)],
                pass_fds=[told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        os.close(told)
        self.serial += 1
        with os.fdopen(ready, "rb") as reader:
            if reader.read() != b"READY\n":
                raise AssertionError(f"no proxy starts: {self.log.read_text()[-2000:]}")
        return process

    def _watch(self) -> None:
        while True:
            ended = self._process.wait()
            with self._lock:
                if self._closing:
                    return
                self.deaths.append(ended)
                self._process = self._start()

    @property
    def unexplained(self) -> list[int]:
        """Ends that were no kill."""
        return [ended for ended in self.deaths if ended != -signal.SIGKILL]
