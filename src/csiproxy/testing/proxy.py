"""``csi-proxy serve`` as a process that may be killed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Final, Self

SECONDS: Final = 60.0
"""How long an end that is bound to come may take."""


class Proxy:
    """A proxy on an emulated node, answering once this is made.

    ``node`` is the node's directory, ``endpoints`` that of the socket files; ``serve`` are patterns of
    versions, () for all; ``flags`` further ones of ``csi-proxy serve``.  Its audit records and its log go to
    ``errors``, a file or ``subprocess.PIPE`` (:attr:`errors` then reads them; it has to be read).
    RuntimeError when it does not start.
    """

    def __init__(
        self,
        node: str,
        endpoints: str,
        *,
        serve: Sequence[str] = (),
        flags: Sequence[str] = (),
        errors: IO[bytes] | int = subprocess.PIPE,
    ) -> None:
        ready, told = os.pipe()
        command = [sys.executable, "-m", "csiproxy", "serve", "--host", f"emulator:{node}"]
        command += ["--endpoints", endpoints, "--ready-fd", str(told), *flags]
        command += ["--serve", ",".join(serve)] if serve else []
        with os.fdopen(ready, "rb") as reader:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the command is the program's own
                    command, pass_fds=[told], stdout=subprocess.DEVNULL, stderr=errors
                )
            finally:
                os.close(told)
            said = reader.read()  # ends when the proxy has said so, or has ended itself
        if said != b"READY\n":
            self._process.wait(SECONDS)
            text = self._process.stderr.read().decode() if self._process.stderr else "see its log"
            self.close()
            raise RuntimeError(f"csi-proxy did not start: {text}")

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def errors(self) -> IO[bytes]:
        """What it writes, where that goes to a pipe."""
        if self._process.stderr is None:
            raise ValueError("the proxy writes to a file; read that")
        return self._process.stderr

    def wait(self) -> int:
        """How it ended, once it has."""
        return self._process.wait(SECONDS)

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        self._process.terminate()
        try:
            return self.wait()
        finally:
            self.close()

    def close(self) -> None:
        """End it without ceremony, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(SECONDS)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
