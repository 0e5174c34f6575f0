"""A gRPC client that costs next to nothing: prepared frames over plain sockets, answers only counted."""

import select
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
WIDE = 0x7FFFFFFF


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def header_blocks(path: str) -> tuple[bytes, bytes]:
    """The headers of a connection's first call, and those of every later one.

    As clients do, the first call has the server remember its fields (RFC 7541 6.2.1), and later ones only
    name them: the field remembered last is number 62.
    """
    fields = (
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", b"benchmark"),
        (b"te", b"trailers"),
    )
    remembered = b"".join(
        b"\x40" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields
    )
    named = bytes(0x80 | 62 + at for at in reversed(range(len(fields))))
    # :method POST and :scheme http are entries 3 and 6 of the static table.
    return b"\x83\x86" + remembered, b"\x83\x86" + named


@dataclass(frozen=True)
class Load:
    """How many calls go on at the same time, and over how many connections."""

    calls: int
    connections: int

    def __str__(self) -> str:
        if self.calls == 1:
            return "1 call"
        return f"{self.calls} calls on {self.connections} connection{'s' if self.connections > 1 else ''}"


@dataclass(frozen=True)
class Sample:
    """What a run saw: calls made, the median of their latencies in seconds, calls per second."""

    calls: int
    p50: float
    per_second: float


class Connection:
    """One connection; a call begins with :meth:`send` and is over when :meth:`receive` gives its latency."""

    def __init__(self, path: Path, method: str, message: bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        settings = struct.pack(">HI", 4, WIDE)
        update = struct.pack(">I", WIDE - 65535)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, update))
        first, later = header_blocks(method)
        data = frame(DATA, END_STREAM, 0, b"\0" + len(message).to_bytes(4, "big") + message)
        # The stream's number goes in between.
        headers = frame(HEADERS, END_HEADERS, 0, later)
        self.parts = headers[:5], headers[9:] + data[:5], data[9:]
        self.next = 1
        self.begun: dict[int, float] = {}
        self.rest = b""
        self.first = frame(HEADERS, END_HEADERS, 1, first) + data[:5] + b"\0\0\0\1" + data[9:]

    def send(self, calls: int) -> None:
        """Begin so many calls."""
        before, between, behind = self.parts
        frames = []
        now = time.perf_counter()
        if self.next == 1:
            frames.append(self.first)
            self.begun[1] = now
            self.next = 3
            calls -= 1
        for _ in range(calls):
            number = self.next.to_bytes(4, "big")
            frames += (before, number, between, number, behind)
            self.begun[self.next] = now
            self.next += 2
        self.socket.sendall(b"".join(frames))

    def receive(self) -> list[float]:
        """Read once; give the latencies of the calls that are over."""
        arrived = self.socket.recv(1 << 18)
        if not arrived:
            raise ConnectionError("the server hung up")
        now = time.perf_counter()
        data = self.rest + arrived
        at, end = 0, len(data)
        latencies = []
        while end - at >= 9:
            behind = at + 9 + (data[at] << 16 | data[at + 1] << 8 | data[at + 2])
            if end < behind:
                break
            kind, flags = data[at + 3], data[at + 4]
            if kind == HEADERS and flags & END_STREAM:
                latencies.append(now - self.begun.pop(int.from_bytes(data[at + 5 : at + 9], "big")))
            elif kind not in (DATA, HEADERS):
                self._control(kind, flags, data[at + 9 : behind])
            at = behind
        self.rest = data[at:]
        return latencies

    def _control(self, kind: int, flags: int, payload: bytes) -> None:
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        elif kind == GOAWAY or (kind == RST_STREAM and any(payload)):
            # grpc-go may reset with NO_ERROR behind a whole reply, when it was faster than our END_STREAM.
            raise ConnectionError(f"{self.socket.getpeername()} refused: frame {kind}, {payload!r}")

    def close(self) -> None:
        self.socket.close()


class Client:
    """Keeps a load up over its connections: each call that ends is followed by the next."""

    def __init__(self, path: Path, method: str, message: bytes, load: Load) -> None:
        self.width = load.calls // load.connections
        self.connections = [Connection(path, method, message) for _ in range(load.connections)]

    def run(self, seconds: float) -> Sample:
        """Call for so long; the last calls are waited for."""
        latencies: list[float] = []
        start = time.perf_counter()
        end = start + seconds
        if len(self.connections) == 1:
            self._one(self.connections[0], end, latencies)
        else:
            self._many(end, latencies)
        return Sample(len(latencies), median(latencies), len(latencies) / (time.perf_counter() - start))

    def _one(self, connection: Connection, end: float, latencies: list[float]) -> None:
        connection.send(self.width)
        while connection.begun:
            over = connection.receive()
            latencies += over
            if over and time.perf_counter() < end:
                connection.send(len(over))

    def _many(self, end: float, latencies: list[float]) -> None:
        by_descriptor = {connection.socket.fileno(): connection for connection in self.connections}
        with select.epoll() as poller:
            for descriptor, connection in by_descriptor.items():
                poller.register(descriptor, select.EPOLLIN)
                connection.send(self.width)
            busy = len(by_descriptor)
            while busy:
                for descriptor, _ in poller.poll():
                    connection = by_descriptor[descriptor]
                    over = connection.receive()
                    latencies += over
                    if over and time.perf_counter() < end:
                        connection.send(len(over))
                    elif over and not connection.begun:
                        busy -= 1

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
