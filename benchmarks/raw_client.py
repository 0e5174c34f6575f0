"""A gRPC client that costs next to nothing: prepared frames over plain sockets, answers only counted."""

import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# grpc-go resets a stream without an error when it has answered before it saw the request's end.
HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 1, 3, 4, 6, 7, 8
END_STREAM, END_HEADERS, ACK = 1, 4, 1
WIDE = 0x7FFFFFFF


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header field that no table remembers (RFC 7541 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def header_block(path: str) -> bytes:
    fields = (
        (b":path", path.encode()),
        (b":authority", b"localhost"),
        (b"content-type", b"application/grpc"),
    )
    # :method POST and :scheme http are entries 3 and 6 of the static table.
    return b"\x83\x86" + b"".join(literal(*field) for field in fields) + literal(b"te", b"trailers")


@dataclass(frozen=True)
class Load:
    """How many calls go on at the same time, and over how many connections."""

    calls: int
    connections: int

    def __str__(self) -> str:
        if self.calls == 1:
            return "1 call"
        return f"{self.calls} calls on {self.connections} connection{'s' if self.connections > 1 else ''}"


class Connection:
    """One connection with ``width`` calls at a time: all are sent, then all are awaited."""

    def __init__(self, path: Path, method: str, message: bytes, width: int) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        settings = struct.pack(">HI", 4, WIDE)
        update = struct.pack(">I", WIDE - 65535)
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings) + frame(WINDOW_UPDATE, 0, 0, update))
        self.block = header_block(method)
        self.body = b"\0" + len(message).to_bytes(4, "big") + message
        self.width = width
        self.next = 1
        self.rest = b""

    def send(self) -> None:
        frames = []
        for _ in range(self.width):
            frames.append(frame(HEADERS, END_HEADERS, self.next, self.block))
            frames.append(frame(0, END_STREAM, self.next, self.body))
            self.next += 2
        self.socket.sendall(b"".join(frames))

    def await_all(self) -> None:
        left = self.width
        while left:
            data = self.rest + self.socket.recv(1 << 18)
            if len(data) == len(self.rest):
                raise ConnectionError("the server hung up")
            at, end = 0, len(data)
            while end - at >= 9:
                size = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
                if end - at < 9 + size:
                    break
                kind, flags = data[at + 3], data[at + 4]
                if kind == HEADERS and flags & END_STREAM:
                    left -= 1
                elif kind == SETTINGS and not flags & ACK:
                    self.socket.sendall(frame(SETTINGS, ACK, 0, b""))
                elif kind == PING and not flags & ACK:
                    self.socket.sendall(frame(PING, ACK, 0, data[at + 9 : at + 9 + size]))
                elif kind in (RST_STREAM, GOAWAY):
                    reason = data[at + 9 + 4 * (kind == GOAWAY) :][:4]
                    if any(reason):
                        raise ConnectionError(f"{self.socket.getpeername()} refused: {kind}, {reason!r}")
                at += 9 + size
            self.rest = data[at:]

    def close(self) -> None:
        self.socket.close()


class Client:
    """Keeps a load up over prepared connections."""

    def __init__(self, path: Path, method: str, message: bytes, load: Load) -> None:
        width = load.calls // load.connections
        self.load = load
        self.connections = [Connection(path, method, message, width) for _ in range(load.connections)]

    def batch(self) -> None:
        for connection in self.connections:
            connection.send()
        for connection in self.connections:
            connection.await_all()

    def run(self, seconds: float) -> tuple[int, float, float]:
        """Calls made, the median latency of a batch, calls per second."""
        latencies = []
        start = now = time.perf_counter()
        while now - start < seconds:
            self.batch()
            then, now = now, time.perf_counter()
            latencies.append(now - then)
        calls = len(latencies) * self.load.calls
        return calls, median(latencies), calls / (now - start)

    def close(self) -> None:
        for connection in self.connections:
            connection.close()
