"""Attacks on a real server while honest clients call: each ends at a limit, and no honest call fails."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from tests.rpc.attacks.honest import Honest
from tests.rpc.attacks.stage import PATIENCE, Stage, hung_up, left, statuses, until
from tests.rpc.wire import HEAD, START, data, framed, headers, request

from csiproxy.rpc import frames, hpack
from csiproxy.rpc.frames import PREFACE, Reason
from csiproxy.rpc.limits import Limits

MIB = 1 << 20
CALM, COMPRESSION = Reason.ENHANCE_YOUR_CALM, Reason.COMPRESSION_ERROR
HANG = tuple((name, b"/v1.Test/Hang" if name == b":path" else value) for name, value in HEAD)
ZERO = PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0))
WIDE = START + frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 30)) + frames.window_update(0, 1 << 30)
PING = frames.frame(frames.PING, 0, 0, bytes(8))
LARGE = b"\x40\x01a\x7f\x81\x1e" + b"v" * 3968  # an entry that fills the dynamic table
REMEMBER = b"\x40\x02ab\x02cd"
BLOCK = hpack.encode(*HEAD)
LONG_PATH = tuple((name, b"/" + b"p" * 9000 if name == b":path" else value) for name, value in HEAD)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Honest]:
    made = Honest(tmp_path_factory.mktemp("honest"))
    yield made
    made.end()


@pytest.fixture
def honest(process: Honest) -> Iterator[Honest]:
    yield process
    process.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Limits], Stage]]:
    stages: list[Stage] = []

    def make(limits: Limits) -> Stage:
        stages.append(Stage(str(tmp_path / "s"), limits))
        return stages[-1]

    yield make
    for stage in stages:
        stage.stop()


def streams(count: int, one: Callable[[int], bytes]) -> bytes:
    """The same on so many streams, one after the other."""
    return b"".join(one(stream) for stream in range(1, 2 * count, 2))


@dataclass(frozen=True)
class Attack:
    """What an attacker says, and why the server hangs up; ``limits`` are small so that it does so soon."""

    wire: bytes
    reason: Reason | None
    limits: Limits = field(default_factory=Limits)
    opening: bytes = START


SOON = 0.15
ENDING = {
    "rapid reset": Attack(
        streams(3000, lambda at: request(b"", at) + frames.rst_stream(at, Reason.CANCEL)), CALM
    ),
    "rapid reset of calls that hang": Attack(
        streams(
            3000,
            lambda at: headers(at, head=HANG) + data(framed(b""), at) + frames.rst_stream(at, Reason.CANCEL),
        ),
        CALM,
    ),
    "reset of headers": Attack(
        streams(3000, lambda at: headers(at) + frames.rst_stream(at, Reason.CANCEL)), CALM
    ),
    "resets that the server is made to send, by windows": Attack(
        streams(
            3000, lambda at: headers(at, head=HANG) + data(framed(b""), at) + frames.window_update(at, 0)
        ),
        CALM,
    ),
    "resets that the server is made to send, by lengths": Attack(
        streams(3000, lambda at: headers(at, (b"content-length", b"9")) + data(framed(b""), at)), CALM
    ),
    "malformed headers": Attack(streams(3000, lambda at: headers(at, (b"Upper", b""), end=True)), CALM),
    "malformed trailers": Attack(
        streams(3000, lambda at: headers(at) + headers(at, head=[(b"X", b"")], end=True)), CALM
    ),
    "streams beyond the limit": Attack(streams(3000, headers), CALM),
    "CONTINUATION without end": Attack(
        headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1) * 5000, CALM
    ),
    "CONTINUATION that grows": Attack(
        headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1, b"\x82" * 16384) * 50, CALM
    ),
    "PING": Attack(PING * 20_000, CALM),
    "answers to PING": Attack(frames.frame(frames.PING, frames.ACK, 0, bytes(8)) * 20_000, CALM),
    "SETTINGS": Attack(frames.settings() * 20_000, CALM),
    "answers to SETTINGS": Attack(frames.frame(frames.SETTINGS, frames.ACK, 0) * 20_000, CALM),
    "SETTINGS of thousands of windows": Attack(
        streams(100, headers)
        + frames.settings(*((frames.INITIAL_WINDOW_SIZE, at) for at in range(2700))) * 50,
        CALM,
    ),
    "WINDOW_UPDATE of the connection": Attack(frames.window_update(0, 1) * 20_000, CALM),
    "WINDOW_UPDATE of a stream": Attack(headers() + frames.window_update(1, 1) * 20_000, CALM),
    "PRIORITY": Attack(frames.frame(frames.PRIORITY, 0, 3, bytes(5)) * 20_000, CALM),
    "unknown frames": Attack(frames.frame(0xFA, 0, 0, bytes(99)) * 20_000, CALM),
    "GOAWAY": Attack(frames.goaway(0, Reason.NO_ERROR) * 20_000, CALM),
    "empty DATA": Attack(headers() + frames.frame(frames.DATA, 0, 1) * 20_000, CALM),
    "padding only": Attack(headers() + frames.frame(frames.DATA, 8, 1, b"\xff" + bytes(255)) * 5000, CALM),
    "tiny DATA": Attack(
        headers() + data(framed(bytes(MIB))[:5], end=False) + data(b"x", end=False) * 20_000, CALM
    ),
    "a header block larger than any": Attack(
        headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1, bytes(16384)) * 3, CALM
    ),
    "table sizes": Attack(
        frames.frame(frames.HEADERS, 5, 1, b"\x20\x3f\xe1\x1f" * 4000 + BLOCK), COMPRESSION
    ),
    "a table of gigabytes": Attack(
        frames.frame(frames.HEADERS, 5, 1, b"\x3f\xe1\xff\xff\x7f" + BLOCK), COMPRESSION
    ),
    "a string of gigabytes": Attack(
        frames.frame(frames.HEADERS, 5, 1, BLOCK + b"\x00\x7f\x80\xff\xff\x7f" + bytes(9000)), COMPRESSION
    ),
    "a frame of 16 MiB": Attack(
        frames.frame(frames.DATA, 0, 1, bytes((1 << 24) - 1)), Reason.FRAME_SIZE_ERROR
    ),
    "HTTP/1.1": Attack(b"", Reason.PROTOCOL_ERROR, opening=b"POST / HTTP/1.1\r\n" * 1000),
    "random bytes": Attack(Random(1).randbytes(100_000), Reason.FRAME_SIZE_ERROR),
    "silence": Attack(b"", None, Limits(handshake_seconds=SOON), opening=b""),
    "silence after half of the preface": Attack(
        b"", None, Limits(handshake_seconds=SOON), opening=PREFACE[:12]
    ),
    "silence inside a header block": Attack(headers(last=False), CALM, Limits(request_seconds=SOON)),
    "silence inside a frame": Attack(PING[:13], CALM, Limits(request_seconds=SOON)),
    "a window that stays shut": Attack(request(b"x"), CALM, Limits(stall_seconds=SOON), opening=ZERO),
    "windows that stay shut for a hundred replies": Attack(
        streams(100, lambda at: request(bytes(9000), at)), CALM, Limits(stall_seconds=SOON), opening=ZERO
    ),
}


@pytest.mark.parametrize("name", ENDING)
def test_an_attacker_is_hung_up_on_at_a_limit_and_honest_calls_succeed(
    start: Callable[[Limits], Stage], honest: Honest, name: str
) -> None:
    attack = ENDING[name]
    stage = start(attack.limits)
    honest.begin(stage.path)
    for _ in range(3):
        assert hung_up(stage.attacker(attack.opening + attack.wire)) is attack.reason
        honest.call(2)
    assert honest.stop() == []
    stage.calm()
    assert stage.grown() < 48 * MIB


# --- attacks that are calls that fail: the connection may go on -------------------------------------------

FAILING: dict[str, tuple[int, bytes, Callable[[int], bytes]]] = {
    "bombs of named entries": (
        60, b"8", lambda at: frames.frame(frames.HEADERS, 5, at, BLOCK + LARGE + b"\xbe" * 12_000)
    ),
    "floods of the dynamic table": (
        60, b"8", lambda at: frames.frame(frames.HEADERS, 5, at, BLOCK + REMEMBER * 2000)
    ),
    "announced messages of 4 GiB": (
        90, b"8", lambda at: headers(at) + data(b"\0\xff\xff\xff\xff", at, end=False)
    ),
    "messages that end too early": (90, b"13", lambda at: headers(at) + data(framed(bytes(999))[:500], at)),
    "two messages": (90, b"12", lambda at: headers(at) + data(framed(b"x") * 2, at)),
    "compressed messages": (90, b"13", lambda at: headers(at) + data(framed(bytes(99), 1), at)),
    "paths that are no method's": (60, b"12", lambda at: headers(at, head=LONG_PATH)),
    "timeouts that are none": (90, b"13", lambda at: headers(at, (b"grpc-timeout", b"soon"))),
    "encodings that are none": (90, b"12", lambda at: headers(at, (b"grpc-encoding", b"x" * 999))),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILING)
def test_calls_that_attack_fail_alone(start: Callable[[Limits], Stage], honest: Honest, name: str) -> None:
    count, status, one = FAILING[name]
    stage = start(Limits())
    honest.begin(stage.path)
    for _ in range(3):
        blocks = statuses(stage.attacker(START + streams(count, one)), count)
        fields = [dict(hpack.Decoder(4096, 1 << 16).decode(block) or []) for block in blocks]
        assert {found[b"grpc-status"] for found in fields} == {status}
        honest.call(2)
    assert honest.stop() == []
    stage.calm()
    assert stage.grown() < 48 * MIB


def test_a_request_that_dribbles_in_fails_in_time(start: Callable[[Limits], Stage], honest: Honest) -> None:
    stage = start(Limits(request_seconds=SOON))
    honest.begin(stage.path)
    client = stage.attacker(START + headers() + data(framed(bytes(99))[:50], end=False))
    (block,) = statuses(client, 1)
    assert (b"grpc-status", b"4") in (hpack.Decoder(4096, 1 << 16).decode(block) or [])
    honest.call(2)
    assert honest.stop() == []
    stage.calm()


# --- peers that do not read, or hardly ------------------------------------------------------------------


def test_a_reply_that_is_taken_byte_by_byte_ends_the_connection(
    start: Callable[[Limits], Stage], honest: Honest
) -> None:
    stage = start(Limits(reply_seconds=SOON))
    honest.begin(stage.path)
    client = stage.attacker(ZERO + request(bytes(9000)))
    with suppress(BrokenPipeError, ConnectionResetError):
        while client.recv(1 << 12):
            client.sendall(frames.window_update(1, 1))
    honest.call(2)
    assert honest.stop() == []
    stage.calm()


def test_peers_that_never_read_hold_no_more_than_a_share_and_not_for_long(
    start: Callable[[Limits], Stage], honest: Honest
) -> None:
    limits = Limits(
        stall_seconds=1.0, message_bytes=MIB, outbox_bytes=2 * MIB, buffered_bytes_per_client=4 * MIB
    )
    stage = start(limits)
    honest.begin(stage.path)
    wire = WIDE + streams(8, lambda at: headers(at) + data(framed(bytes(MIB - 9)), at))
    attackers = [stage.attacker(wire) for _ in range(6)]
    most = 0
    while stage.held or not most:
        most = max(most, stage.held)
        honest.call(1)
    assert 0 < most <= limits.buffered_bytes_per_client + MIB  # and what honest clients hold
    assert left(attackers[0])
    assert honest.stop() == []
    stage.calm()
    assert stage.grown() < 96 * MIB


def test_requests_that_never_end_hold_no_more_than_a_share(
    start: Callable[[Limits], Stage], honest: Honest
) -> None:
    limits = Limits()
    stage = start(limits)
    honest.begin(stage.path)
    wire = START + headers() + data(framed(bytes(4 * MIB))[:-1], end=False)
    for _ in range(8):
        stage.attacker(wire)
    until(lambda: stage.held > limits.buffered_bytes_per_client - 4 * MIB)
    honest.call(5)
    assert stage.held <= limits.buffered_bytes_per_client + MIB
    assert honest.stop() == []
    stage.calm()
    assert stage.grown() < 96 * MIB


def test_answers_that_nobody_reads_do_not_pile_up(start: Callable[[Limits], Stage], honest: Honest) -> None:
    stage = start(Limits(control_frames=10**9, stall_seconds=1.0))
    honest.begin(stage.path)
    client = stage.attacker(START)
    client.setblocking(False)
    sent = 0
    with suppress(BlockingIOError):
        while sent < 64 * MIB:
            sent += client.send(PING * 4000)
    assert sent < 64 * MIB
    assert left(client)
    honest.call(2)
    assert honest.stop() == []
    stage.calm()
    assert stage.grown() < 48 * MIB


# --- too many of everything -------------------------------------------------------------------------------


def test_calls_that_hang_leave_threads_and_room_in_line_to_others(
    start: Callable[[Limits], Stage], honest: Honest
) -> None:
    stage = start(Limits())
    honest.begin(stage.path)
    for _ in range(5):
        stage.attacker(START + streams(100, lambda at: headers(at, head=HANG) + data(framed(b""), at)))
    honest.call(20)
    assert honest.stop() == []
    stage.calm()


def test_three_thousand_connections_one_after_the_other(
    start: Callable[[Limits], Stage], honest: Honest
) -> None:
    stage = start(Limits())
    honest.begin(stage.path)
    openings = (b"", START[:10], START, START + request(b"x"), START + headers(), START + PING[:9], bytes(99))
    for number in range(3000):
        stage.visit(openings[number % len(openings)])
    honest.call(5)
    assert honest.stop() == []
    stage.calm()
    assert stage.grown() < 48 * MIB


def test_one_client_does_not_take_all_connections(start: Callable[[Limits], Stage], honest: Honest) -> None:
    limits = Limits()
    stage = start(limits)
    honest.begin(stage.path)
    for _ in range(2 * limits.connections_per_client):
        stage.attacker(START)
    honest.call(5)
    assert stage.connections <= limits.connections_per_client + 4
    assert honest.stop() == []
    stage.calm()


def test_a_crowd_that_fills_the_server_keeps_nobody_out(
    start: Callable[[Limits], Stage], honest: Honest
) -> None:
    limits = Limits(connections=200, connections_per_client=64)
    stage = start(limits)
    honest.begin(stage.path)
    crowd = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.rpc.attacks.crowd", stage.path, "64"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(4)
    ]
    assert all(process.stdout is not None and process.stdout.readline() for process in crowd)
    until(lambda: stage.connections == limits.connections)
    honest.call(10)
    assert honest.stop() == []
    for process in crowd:
        process.communicate(timeout=PATIENCE)
    stage.calm()


def test_a_server_without_descriptors_left_goes_on(tmp_path: Path, honest: Honest) -> None:
    program = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))
from csiproxy.rpc.server import Server
from csiproxy.rpc.unix import UnixListener
held = [open("/dev/null") for _ in range(20)]  # so that descriptors end before the limit of connections
server = Server(lambda call: call.message, quick=lambda _, __: True)
server.add(UnixListener({str(tmp_path / "s")!r}, "s"))
server.start()
print("there", flush=True)
sys.stdin.read()
print(server.stop(20))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "there\n"
        honest.begin(str(tmp_path / "s"))
        clients = []
        for _ in range(300):
            client = socket.socket(socket.AF_UNIX)
            client.connect(str(tmp_path / "s"))
            with suppress(BrokenPipeError):
                client.sendall(START)
            clients.append(client)
        honest.call(10)
        assert honest.stop() == []
        for client in clients:
            client.close()
        assert server.communicate(timeout=PATIENCE)[0] == "True\n"
