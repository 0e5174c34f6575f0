"""A proxy in this process on real sockets, so that a test can see who waits inside for what."""

import json
import os
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from time import monotonic

from tests.crash.calls import Outcome, Request, call
from tests.emulated import EmulatedNode, Staged
from tests.running import SECONDS, until

from csiproxy.api import versions
from csiproxy.api.endpoints import socket_path
from csiproxy.emulator.faults import Action, Fault
from csiproxy.host.win32 import Directory, Win32
from csiproxy.operations.locks import Locks
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.client_protocol import ClientConnection
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.stream import Stream
from csiproxy.rpc.unix import UnixListener
from csiproxy.server.audit import Trail
from csiproxy.server.server import Proxy

CONTRACTS = ("disk/v1", "filesystem/v2alpha1", "volume/v2alpha1", "csi-proxy/v1beta1", "csi-proxy/v1alpha1")


class Records:
    """The audit trail's records, which somebody may wait for."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._records: list[dict] = []

    def write(self, line: bytes) -> None:
        with self._arrived:
            self._records.append(json.loads(line))
            self._arrived.notify_all()

    def first(self, count: int) -> list[dict]:
        """That many records, in their order; waits for them."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self._records) >= count, SECONDS)
            return self._records[:count]


class Stubborn:
    """A call whose client waits for the server's word, whatever its own clock says about the deadline."""

    def __init__(self, stream: Stream, request: Request, timeout: float | None) -> None:
        self._stream = stream
        self._protocol = ClientConnection(Limits(), monotonic(), "localhost")
        self._call = self._protocol.request(request.path, request.message, timeout)
        data = self._protocol.take()
        assert stream.send(data) == len(data)

    def hang_up(self) -> None:
        self._stream.close()

    def failure(self) -> str:
        """The status that ended the call; waits for it."""
        while (outcome := self._protocol.outcome(self._call)) is None:
            assert self._stream.wait(write=False, timeout=SECONDS)
            with suppress(BlockingIOError):
                self._protocol.receive(self._stream.receive(1 << 16), monotonic())
        self.hang_up()
        return outcome.code.name if isinstance(outcome, RpcError) else ""


class Client:
    """One call that is under way, on a connection of its own."""

    def __init__(self, channel: Channel, request: Request, timeout: float) -> None:
        self._future: Future[Outcome] = Future()
        self._channel = channel

        def work() -> None:
            try:
                self._future.set_result(call(channel, request, timeout))
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits for the outcome
                self._future.set_exception(error)
            finally:
                channel.close()

        self._thread = threading.Thread(target=work, daemon=True)
        self._thread.start()

    @property
    def is_waiting(self) -> bool:
        return not self._future.done()

    def outcome(self) -> Outcome:
        """What came of the call; waits for it."""
        outcome = self._future.result(SECONDS)
        self._thread.join(SECONDS)
        return outcome

    def succeeded(self) -> bool:
        return not self.outcome().failure


class WatchedWin32:
    """The host's Win32 half, noting where volumes are mounted in the order in which that happens."""

    def __init__(self, win32: Win32, mounted: list[str]) -> None:
        self._win32 = win32
        self._mounted = mounted

    def __getattr__(self, name: str) -> object:
        return getattr(self._win32, name)

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        self._mounted.append(name)
        self._win32.set_mount_point(parent, name, volume)


class Serving:
    """One node with one proxy, both in this process.  ``mounted`` are names of mount points in order."""

    def __init__(self, directory: Path, limits: Limits | None = None) -> None:
        self.node = EmulatedNode(directory)
        self.mounted: list[str] = []
        self.operations = self.node.operations(win32=WatchedWin32(self.node.machine.win32, self.mounted))
        self.records = Records()
        self._endpoints = str(directory / "e")
        os.mkdir(self._endpoints)
        contracts = [versions.contract(name) for name in CONTRACTS]
        self._proxy = Proxy(contracts, self.operations, Trail(self.records, sys.stderr), sys.stderr, limits)
        served = self._proxy.listen(
            lambda contract: UnixListener(socket_path(self._endpoints, contract.endpoint), contract.endpoint)
        )
        assert not served.left
        self._proxy.start()

    def close(self) -> None:
        self.node.machine.faults.clear()
        assert self._proxy.stop(SECONDS)
        self.node.close()

    # --- clients

    def stream(self, contract: str) -> Stream:
        """The bytes of a connection to a contract's endpoint."""
        return unix.connect(socket_path(self._endpoints, versions.contract(contract).endpoint))

    def channel(self, contract: str) -> Channel:
        return Channel(lambda: self.stream(contract))

    def begin(self, request: Request, timeout: float = SECONDS) -> Client:
        """Make a call without waiting for its end."""
        return Client(self.channel(request.contract), request, timeout)

    def ask(self, request: Request, timeout: float = SECONDS) -> Outcome:
        """Make a call and wait for its end."""
        return self.begin(request, timeout).outcome()

    def stubborn(self, request: Request, timeout: float | None = None) -> Stubborn:
        """Make a call that only the server ends."""
        return Stubborn(self.stream(request.contract), request, timeout)

    # --- inside

    def hang(self, step: str, times: int = 1) -> None:
        """Let the next calls of a step hang."""
        for _ in range(times):
            self.node.machine.faults.order(Fault(step, Action.HANG))

    def until_hung(self, count: int = 1) -> None:
        until(lambda: self.node.machine.faults.hung == count)

    def go_on(self) -> None:
        """Let what hangs go on."""
        self.node.machine.faults.clear()

    def queue(self, name: str) -> int:
        """How many hold an object or wait for it."""
        locks: Locks = self.operations.volume._locks
        with locks._guard:
            return len(locks._queues.get(name, ()))

    def until_queued(self, name: str, count: int) -> None:
        until(lambda: self.queue(name) == count)


def flush(volume: Staged) -> Request:
    return Request("volume/v2alpha1", "WriteVolumeCache", {"volume_id": volume.id})


def mount(volume: Staged, path: str) -> Request:
    return Request("volume/v2alpha1", "MountVolume", {"volume_id": volume.id, "target_path": path})


def partition(disk: int) -> Request:
    return Request("disk/v1", "PartitionDisk", {"disk_number": disk})


def lock_of(volume: Staged) -> str:
    """What a volume is called among the locks."""
    return f"volume {volume.id}"
