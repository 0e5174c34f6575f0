r"""One emulated Windows node: its process, a csi-proxy on it, and what its operator can do."""

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self, Unpack

from csiproxy.client import NO_RETRY, Client, Retry, connect
from csiproxy.client.client import TIMEOUT
from csiproxy.emulator import locks
from csiproxy.emulator.connect import default_command, start_node
from csiproxy.emulator.control import LOCK_NAME, AttachOptions, Control
from csiproxy.errors import HostUnreachable
from csiproxy.kubelet.paths import Drive
from csiproxy.testing.proxy import SECONDS, Proxy

MIB: Final = 1 << 20
DISK_BYTES: Final = 64 * MIB
"""How large a disk is unless a test says otherwise: as small as Windows' file systems go."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that is attached to a node: its number there, and its image."""

    number: int
    image: Path


class Node:
    r"""An emulated Windows node below ``directory``, running, with a csi-proxy that answers.

    ``images`` is where new disks' images are made, ``serve`` which versions the proxy serves, () being all,
    ``flags`` what else ``csi-proxy serve`` is told.  The path of ``directory`` must be short: a socket's
    address holds no more than 107 bytes.  Close it in the end, or use it in a with statement.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        images: str | os.PathLike[str] | None = None,
        serve: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> None:
        self.directory = Path(directory)
        self.images = Path(images) if images is not None else self.directory / "images"
        self.endpoints = self.directory / "endpoints"
        """The directory of the proxy's socket files, for ``csiproxy.connect`` or any gRPC client."""
        self._state = self.directory / "node"
        self._serve, self._flags = tuple(serve), tuple(flags)
        self._proxy: Proxy | None = None
        self.images.mkdir(parents=True, exist_ok=True)
        self._state.mkdir(parents=True, exist_ok=True)
        self.control = Control(str(self._state))
        """What an operator can do to the machine: disks, faults, services."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @classmethod
    @contextmanager
    def temporary(cls, *, serve: Sequence[str] = (), flags: Sequence[str] = ()) -> Iterator[Self]:
        """A node in a temporary directory, which goes with it."""
        with temporary_directory() as directory, cls(directory, serve=serve, flags=flags) as node:
            yield node

    # --- what runs -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start whatever of node and proxy does not run."""
        start_node(str(self._state), default_command(str(self._state)))
        if self._proxy is None:
            with open(self.directory / "proxy.log", "ab") as log:
                self._proxy = Proxy(
                    str(self._state),
                    str(self.endpoints),
                    serve=self._serve,
                    flags=("--audit-log", str(self.directory / "audit.jsonl"), *self._flags),
                    errors=log,
                )

    def kill_proxy(self) -> None:
        """End the proxy as a crash would."""
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            proxy.close()

    def kill_node(self) -> None:
        """End the node's process as a power failure would; its disks and its C: stay."""
        if sys.platform != "win32":  # where no emulated node runs
            with Control(str(self._state)) as control:  # the one that lasts may know an earlier process
                os.kill(control.process, signal.SIGKILL)
        locks.wait_until_free(str(self._state / LOCK_NAME), SECONDS)

    def close(self) -> None:
        """Stop proxy and node; what they wrote stays."""
        self.kill_proxy()
        with suppress(HostUnreachable):
            self.control.stop()
        self.control.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- what is asked of it -------------------------------------------------------------------------

    def client(self, *, timeout: float = TIMEOUT, retry: Retry = NO_RETRY) -> Client:
        """A client of the proxy.  It retries nothing unless told to, so that a test sees each failure."""
        return connect(self.endpoints, timeout=timeout, retry=retry)

    def attach(
        self,
        image: str | os.PathLike[str] = "",
        *,
        size: int | None = None,
        **options: Unpack[AttachOptions],
    ) -> Disk:
        """Attach a disk, as a cloud does.

        ``image`` is an image that exists, or the name of a new one of ``size`` bytes (DISK_BYTES); without it
        a new one gets a name of its own.  ``options`` say how the disk looks: ``lun``, ``serial`` (else one
        that stays with the image) …
        """
        path = self.images / (image or f"disk{len(list(self.images.iterdir()))}.img")
        create = None if path.exists() else size or DISK_BYTES
        # A serial number belongs to the disk: wherever its image goes, it is found by the same.
        options.setdefault("serial", sha256(os.fsencode(path)).hexdigest()[:20].upper())
        return Disk(self.control.attach(str(path), create=create, **options), path)

    def detach(self, disk: Disk | int) -> None:
        """Take a disk away; its image and what is on it stay."""
        self.control.detach(disk if isinstance(disk, int) else disk.number)

    def grow(self, disk: Disk | int, size: int) -> None:
        """Make a disk ``size`` bytes large, as a cloud does to expand a volume."""
        self.control.grow(disk if isinstance(disk, int) else disk.number, size)

    def path(self, windows_path: str) -> Path:
        r"""Where a path on the node's C: is on this machine; links and mount points lead on as on Windows.

        What a container of the node would write to ``C:\var\…`` a test writes there.  InvalidArgument for a
        path on no such drive.
        """
        return Path(Drive(str(self._state / "c")).on_host(windows_path))

    def audit(self) -> list[Mapping[str, object]]:
        """The proxy's audit records so far, oldest first: one for each call that was made."""
        lines = (self.directory / "audit.jsonl").read_text("utf-8").splitlines()
        return [record for record in map(json.loads, lines) if "rpc" in record]


@contextmanager
def temporary_directory() -> Iterator[Path]:
    """A directory with a short path, in memory where there is room: nobody needs what tests write."""
    path = tempfile.mkdtemp(prefix="csi-", dir=os.environ.get("TMPDIR") or _in_memory())
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path)


def _in_memory() -> str | None:
    memory = "/dev/shm"  # noqa: S108 - mkdtemp makes a directory there that is nobody else's
    return memory if os.access(memory, os.W_OK) else None
