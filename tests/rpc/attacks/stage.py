"""A server under attack: its limits, its memory, and what is left of it afterwards."""

import gc
import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event

from tests.rpc.wire import read_frames

from csiproxy.rpc import frames
from csiproxy.rpc.call import Call
from csiproxy.rpc.frames import Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.server import Server
from csiproxy.rpc.unix import UnixListener

PATIENCE = 20.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Bytes of this process in memory; 0 where the system does not say."""
    with suppress(FileNotFoundError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    return 0


class Stage:
    """A server with one endpoint; its handler echoes, or hangs until its call is cancelled."""

    def __init__(self, path: str, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self.server = Server(self._handle, quick=lambda _, __: False, limits=limits)
        self.server.add(UnixListener(path, "under-attack"))
        self.server.start()
        self._clients: list[socket.socket] = []
        gc.collect()
        self._before = resident()

    @staticmethod
    def _handle(call: Call) -> bytes:
        if call.method.endswith("/Hang"):
            gone = Event()
            call.on_cancel(gone.set)
            assert gone.wait(PATIENCE)
        return call.message

    def attacker(self, wire: bytes = b"") -> socket.socket:
        """Connect, and say something as long as the server listens."""
        client = socket.socket(socket.AF_UNIX)
        self._clients.append(client)
        client.connect(self.path)  # waits where the line of those who come is full
        client.settimeout(PATIENCE)
        with suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(wire)
        return client

    def visit(self, wire: bytes) -> None:
        """Connect, say something and be gone."""
        self.attacker(wire)
        self._clients.pop().close()

    @property
    def connections(self) -> int:
        return len(self.server._shared.connections)

    @property
    def held(self) -> int:
        return self.server._shared.clients.budget.held

    def grown(self) -> int:
        """Bytes that this process has grown by, attackers included."""
        return resident() - self._before

    def calm(self) -> None:
        """Wait until everything is as it was before anybody came."""
        for client in self._clients:
            client.close()
        until(lambda: not self.connections)
        assert self.server._crew.wait_idle(PATIENCE)
        assert self.held == 0
        assert len(self.server._shared.clients) == 0

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        assert self.server.stop(PATIENCE)


def until(true: Callable[[], bool]) -> None:
    """Wait for something that has no event of its own."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def left(client: socket.socket) -> bool:
    """Wait until the server has hung up, without reading."""
    poll = select.poll()
    poll.register(client, 0)
    return any(bits & select.POLLHUP for _, bits in poll.poll(PATIENCE * 1000))


def hung_up(client: socket.socket) -> Reason | None:
    """Read until the server hangs up; give the reason of its GOAWAY, None without one."""
    wire = b""
    with suppress(ConnectionResetError):
        while part := client.recv(1 << 16):
            wire += part
    reasons = [Reason(frame.error_code) for frame in read_frames(wire) if frame.type == frames.GOAWAY]
    return reasons[-1] if reasons else None


def statuses(client: socket.socket, count: int) -> list[bytes]:
    """Read until so many streams have ended; give the first header block of each."""
    wire, blocks = b"", {}
    ended: set[int] = set()
    while len(ended) < count:
        part = client.recv(1 << 16)
        assert part, "the server hung up"
        wire += part
        while len(wire) >= 9 and len(wire) >= (size := 9 + int.from_bytes(wire[:3], "big")):
            (frame,) = read_frames(wire[:size])
            wire = wire[size:]
            if frame.type == frames.HEADERS:
                blocks.setdefault(frame.stream_id, frame.data)
                if "END_STREAM" in frame.flags:
                    ended.add(frame.stream_id)
            elif frame.type == frames.RST_STREAM:
                ended.add(frame.stream_id)
    return [blocks.get(stream, b"") for stream in sorted(ended)]
