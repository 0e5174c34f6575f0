"""Every rule of the table that concerns the calling end, through a real channel and through its core."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from hyperframe.frame import Frame
from tests.rpc.conformance.client_rows import ClientRow
from tests.rpc.conformance.table import CLIENT_ROWS
from tests.rpc.wire import read_frames

from csiproxy.errors import Code
from csiproxy.rpc import frames
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.client_protocol import ClientConnection
from csiproxy.rpc.frames import Http2Error, Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.unix import connect

PATIENCE = 20.0
METHOD = "/v1.Disk/Rescan"


class Impostor:
    """A server that takes one call, says what it is told to, and listens until the client hangs up."""

    def __init__(self, path: Path, row: ClientRow) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(PATIENCE)
        self._row = row
        self.heard = b""
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listener, self._listener.accept()[0] as client:
            client.settimeout(PATIENCE)
            while b"question" not in self.heard:
                self.heard += client.recv(1 << 16)
            with suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(self._row.opening + self._row.wire)
            with suppress(ConnectionResetError):
                while part := client.recv(1 << 16):
                    self.heard += part

    def said(self) -> list[Frame]:
        """What the client has said, once it has hung up."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return list(read_frames(self.heard.removeprefix(frames.PREFACE)))


def judge(row: ClientRow, outcome: bytes | Code, said: list[Frame]) -> None:
    assert outcome == row.outcome
    resets = [Reason(frame.error_code) for frame in said if frame.type == frames.RST_STREAM]
    ends = [Reason(frame.error_code) for frame in said if frame.type == frames.GOAWAY]
    assert resets == ([row.resets] if row.resets is not None else [])
    assert ends == ([row.ends] if row.ends is not None else [])


@pytest.mark.parametrize("name", CLIENT_ROWS)
def test_a_channel_follows_the_rule(tmp_path: Path, name: str) -> None:
    row = CLIENT_ROWS[name]
    server = Impostor(tmp_path / "s", row)
    outcome: bytes | Code
    with Channel(lambda: connect(str(tmp_path / "s"))) as channel:
        try:
            outcome = channel.call(METHOD, b"question", timeout=PATIENCE)
        except RpcError as error:
            outcome = error.code
    judge(row, outcome, server.said())


def alone(pieces: Iterator[bytes]) -> tuple[bytes | Code, bytes]:
    end = ClientConnection(Limits(), 0.0, "localhost")
    call = end.request(METHOD, b"question", None)
    heard = end.take()
    outcome: bytes | RpcError | None = None
    try:
        for piece in pieces:
            end.receive(piece, 0.0)
            outcome = outcome or end.outcome(call)
            if outcome is not None:
                break
    except Http2Error:
        heard += end.take()
        return Code.UNAVAILABLE, heard
    assert outcome is not None
    return outcome.code if isinstance(outcome, RpcError) else outcome, heard + end.take()


@pytest.mark.parametrize("name", CLIENT_ROWS)
def test_the_calling_core_follows_the_rule_in_whatever_pieces_the_bytes_come(name: str) -> None:
    row = CLIENT_ROWS[name]
    wire = row.opening + row.wire
    size = max(1, len(wire) // 20_000)
    for pieces in (iter([wire]), (wire[at : at + size] for at in range(0, len(wire), size))):
        outcome, heard = alone(pieces)
        judge(row, outcome, list(read_frames(heard.removeprefix(frames.PREFACE))))
