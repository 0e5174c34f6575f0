"""The whole server over real sockets, with grpcio as the client and with clients that misbehave."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Barrier, Event, Lock

import grpc
import pytest
from tests.rpc.wire import START, framed, headers, read_frames, request

from csiproxy.errors import Code
from csiproxy.rpc import frames
from csiproxy.rpc.call import Call
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.frames import Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.memory import MemoryListener
from csiproxy.rpc.server import Server
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.unix import UnixListener, connect

PATIENCE = 20.0
ECHO = "/v1.Test/Echo"


class Service:
    """Methods that tests call."""

    def __init__(self) -> None:
        self.release = Event()
        self.hanging = 0
        self.cancelled: list[Call] = []
        self.seen: list[Call] = []
        self.changed = Event()
        self.lock = Lock()
        self.together = Barrier(8)

    def __call__(self, call: Call) -> bytes:
        self.seen.append(call)
        name = call.method.rpartition("/")[2]
        if name == "Fail":
            raise RpcError(
                Code.FAILED_PRECONDITION, "the disk is offline: größer als 100%", b"\x08\x09\x12\x04text"
            )
        if name == "Bug":
            raise ValueError("secret text")
        if name == "Hang":
            with self.lock:
                self.hanging += 1
                self.changed.set()
            self.release.wait(PATIENCE)
        if name == "UntilCancelled":
            gone = Event()
            call.on_cancel(gone.set)
            assert gone.wait(PATIENCE)
            self.cancelled.append(call)
            self.changed.set()
        if name == "Together":
            self.together.wait(PATIENCE)
        return call.message


class Stage:
    """A running server with one unix endpoint."""

    def __init__(self, directory: Path, limits: Limits) -> None:
        self.service = Service()
        self.path = str(directory / "s.sock")
        self.server = Server(self.service, quick=lambda _, method: method == "/v1.Test/Quick", limits=limits)
        self.server.add(UnixListener(self.path, "csi-proxy-test-v1"))
        self.server.start()
        self.open: list[Channel | socket.socket | grpc.Channel] = []

    def channel(self) -> Channel:
        made = Channel(lambda: connect(self.path))
        self.open.append(made)
        return made

    def raw(self, wire: bytes = b"") -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(self.path)
        made.settimeout(PATIENCE)
        self.open.append(made)
        if wire:
            made.sendall(wire)
        return made

    def grpc(self, *options: tuple[str, object]) -> grpc.Channel:
        made = grpc.insecure_channel(f"unix:{self.path}", options=options)
        self.open.append(made)
        return made

    def hang(self, count: int) -> list[socket.socket]:
        """Start calls that hang, on a connection each, and wait until they all run."""
        head = (
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", b"/v1.Test/Hang"),
            (b"content-type", b"application/grpc"),
        )
        wire = START + headers(head=head) + frames.frame(frames.DATA, 1, 1, framed(b""))
        clients = [self.raw(wire) for _ in range(count)]
        until(lambda: self.service.hanging == count)
        return clients

    def close(self) -> bool:
        self.service.release.set()
        for one in self.open:
            one.close()
        return self.server.stop(PATIENCE)


def until(true: Callable[[], bool]) -> None:
    """Wait for something that has no event of its own."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)


def drained(client: socket.socket) -> bytes:
    """Everything up to the end of the stream."""
    wire = b""
    with suppress(ConnectionResetError):
        while part := client.recv(1 << 16):
            wire += part
    return wire


def reason(wire: bytes) -> Reason:
    """Why the server went away."""
    (found,) = [frame.error_code for frame in read_frames(wire) if frame.type == frames.GOAWAY]
    return Reason(found)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def make(**limits: float) -> Stage:
        directory = tmp_path / str(len(stages))
        directory.mkdir()
        stages.append(Stage(directory, Limits(**limits)))  # type: ignore[arg-type]
        return stages[-1]

    yield make
    stopped = [stage.close() for stage in stages]
    assert all(stopped)


@pytest.fixture
def stage(start: Callable[..., Stage]) -> Stage:
    return start()


# --- grpcio as the client -----------------------------------------------------------------------------


def test_grpcio_calls_and_gets_the_reply(stage: Stage) -> None:
    assert stage.grpc().unary_unary(ECHO)(b"question", timeout=PATIENCE) == b"question"
    (call,) = stage.service.seen
    assert (call.endpoint, call.method) == ("csi-proxy-test-v1", ECHO)
    assert call.deadline is not None
    assert call.peer.pid == os.getpid()


@pytest.mark.parametrize("size", [0, 1, 16379, 16380, 65536, 3 * 1024 * 1024, 4 * 1024 * 1024])
def test_grpcio_passes_messages_of_any_size_both_ways(stage: Stage, size: int) -> None:
    message = os.urandom(size)
    assert (
        stage.grpc(("grpc.max_receive_message_length", -1)).unary_unary(ECHO)(message, timeout=PATIENCE)
        == message
    )


def test_grpcio_gets_a_request_that_is_too_large_refused(stage: Stage) -> None:
    channel = stage.grpc(("grpc.max_send_message_length", -1))
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(ECHO)(bytes(8 * 1024 * 1024), timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert channel.unary_unary(ECHO)(b"next", timeout=PATIENCE) == b"next"


def test_grpcio_gets_status_text_and_details(stage: Stage) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stage.grpc().unary_unary("/v1.Test/Fail")(b"", timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "the disk is offline: größer als 100%"
    assert dict(caught.value.trailing_metadata()) == {"grpc-status-details-bin": b"\x08\x09\x12\x04text"}


def test_grpcio_learns_nothing_from_a_bug(stage: Stage) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stage.grpc().unary_unary("/v1.Test/Bug")(b"", timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in caught.value.details()


def test_grpcio_makes_many_calls_at_once_on_one_connection(stage: Stage) -> None:
    call = stage.grpc().unary_unary(ECHO)
    messages = [os.urandom(number * 37 % 5000) for number in range(500)]
    futures = [call.future(message, timeout=PATIENCE) for message in messages]
    assert [future.result() for future in futures] == messages


def test_grpcio_calls_that_wait_for_each_other_run_beside_each_other(stage: Stage) -> None:
    call = stage.grpc().unary_unary("/v1.Test/Together")
    futures = [call.future(b"%d" % number, timeout=PATIENCE) for number in range(8)]
    assert [future.result() for future in futures] == [b"%d" % number for number in range(8)]


def test_grpcio_runs_into_its_deadline_and_the_handler_is_told(stage: Stage) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stage.grpc().unary_unary("/v1.Test/UntilCancelled")(b"", timeout=0.1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert stage.service.changed.wait(PATIENCE)
    assert stage.service.cancelled[0].cancelled()


def test_grpcio_cancels_and_the_handler_is_told(stage: Stage) -> None:
    future = stage.grpc().unary_unary("/v1.Test/UntilCancelled").future(b"")
    until(lambda: bool(stage.service.seen))
    future.cancel()
    assert stage.service.changed.wait(PATIENCE)


def test_grpcio_hangs_up_and_the_handler_is_told(stage: Stage) -> None:
    channel = stage.grpc()
    future = channel.unary_unary("/v1.Test/UntilCancelled").future(b"")
    until(lambda: bool(stage.service.seen))
    channel.close()
    assert stage.service.changed.wait(PATIENCE)
    assert future.done()


def test_grpcio_with_compression_is_told_that_it_is_not_supported(stage: Stage) -> None:
    channel = grpc.insecure_channel(f"unix:{stage.path}", compression=grpc.Compression.Gzip)
    stage.open.append(channel)
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(ECHO)(b"x" * 1000, timeout=PATIENCE)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_grpcio_sends_metadata_and_it_is_dropped(stage: Stage) -> None:
    call = stage.grpc().unary_unary(ECHO)
    metadata = [("x-note", "n" * 4000), ("x-bytes-bin", os.urandom(500))]
    for number in range(50):
        assert call(b"x", timeout=PATIENCE, metadata=[*metadata, ("x-number", str(number))]) == b"x"


def test_grpcio_sees_a_stream_refused_as_unavailable_or_waits(start: Callable[..., Stage]) -> None:
    stage = start(streams=2)
    call = stage.grpc().unary_unary(ECHO)
    futures = [call.future(b"%d" % number, timeout=PATIENCE) for number in range(50)]
    assert [future.result() for future in futures] == [b"%d" % number for number in range(50)]


def test_grpcio_reconnects_to_a_server_that_was_replaced(stage: Stage) -> None:
    channel = stage.grpc(("grpc.initial_reconnect_backoff_ms", 10), ("grpc.max_reconnect_backoff_ms", 50))
    call = channel.unary_unary(ECHO)
    assert call(b"one", timeout=PATIENCE) == b"one"
    assert stage.server.stop(PATIENCE)
    stage.server = Server(stage.service, quick=lambda _, __: False)
    stage.server.add(UnixListener(stage.path, "csi-proxy-test-v1"))
    stage.server.start()
    assert call(b"two", timeout=PATIENCE, wait_for_ready=True) == b"two"


def test_many_clients_at_once(stage: Stage) -> None:
    def client(number: int) -> bool:
        with Channel(lambda: connect(stage.path)) as channel:
            return all(
                channel.call(ECHO, b"%d" % number, timeout=PATIENCE) == b"%d" % number for _ in range(20)
            )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(client, range(64)))


def test_endpoints_are_told_apart_and_in_memory_ones_need_no_descriptor(stage: Stage) -> None:
    memory = MemoryListener("csi-proxy-other-v1")
    stage.server.add(memory)
    with Channel(memory.connect) as channel:
        assert channel.call(ECHO, b"x" * 500_000, timeout=PATIENCE) == b"x" * 500_000
        for _ in range(50):
            channel.call(ECHO, b"x", timeout=PATIENCE)
    assert stage.channel().call(ECHO, b"x", timeout=PATIENCE) == b"x"
    assert {call.endpoint for call in stage.service.seen} == {"csi-proxy-other-v1", "csi-proxy-test-v1"}


# --- threads and limits -----------------------------------------------------------------------------


def test_quick_calls_are_served_while_every_other_call_hangs(start: Callable[..., Stage]) -> None:
    stage = start(blocking_threads=3)
    stage.hang(3)
    channel = stage.channel()
    for _ in range(20):
        assert channel.call("/v1.Test/Quick", b"x", timeout=PATIENCE) == b"x"
    with pytest.raises(RpcError) as caught:
        channel.call(ECHO, b"", timeout=0.05)
    assert caught.value.code is Code.DEADLINE_EXCEEDED


def test_calls_beyond_the_line_are_refused_and_cancelled_ones_make_room(start: Callable[..., Stage]) -> None:
    stage = start(blocking_threads=1, queued_calls=2)
    stage.hang(1)
    waiting = [stage.raw(START + request(b"", 1)) for _ in range(2)]
    refused = stage.channel()

    def is_refused() -> bool:
        try:
            refused.call(ECHO, b"", timeout=0.05)
        except RpcError as error:
            return error.code is Code.RESOURCE_EXHAUSTED
        return False

    until(is_refused)
    waiting[0].close()
    until(lambda: not is_refused())
    stage.service.release.set()
    assert refused.call(ECHO, b"x", timeout=PATIENCE) == b"x"


def test_a_deadline_that_passes_in_line_ends_the_call_without_running_it(start: Callable[..., Stage]) -> None:
    stage = start(blocking_threads=1)
    stage.hang(1)
    with pytest.raises(RpcError) as caught:
        stage.channel().call(ECHO, b"never", timeout=0.05)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    until(lambda: not stage.server._crew._blocking.waiting)
    stage.service.release.set()
    assert stage.channel().call(ECHO, b"next", timeout=PATIENCE) == b"next"
    assert b"never" not in [call.message for call in stage.service.seen]


def test_a_full_server_lets_the_longest_idle_connection_go(start: Callable[..., Stage]) -> None:
    stage = start(connections=3)
    busy = stage.hang(1)
    first, second = stage.channel(), stage.channel()
    first.call(ECHO, b"", timeout=PATIENCE)
    second.call(ECHO, b"", timeout=PATIENCE)
    assert stage.channel().call(ECHO, b"third", timeout=PATIENCE) == b"third"
    assert second.call(ECHO, b"still there", timeout=PATIENCE) == b"still there"
    assert first.call(ECHO, b"again", timeout=PATIENCE) == b"again"
    stage.service.release.set()
    assert busy[0].recv(1)


def test_a_server_full_of_running_calls_refuses_newcomers(start: Callable[..., Stage]) -> None:
    stage = start(connections=2)
    stage.hang(2)
    assert drained(stage.raw()) == b""


def test_idle_connections_cost_no_thread(stage: Stage) -> None:
    before = len(stage.server._crew._threads)
    for _ in range(50):
        stage.raw(START)
    assert stage.channel().call(ECHO, b"x", timeout=PATIENCE) == b"x"
    assert len(stage.server._crew._threads) <= before + 2


# --- clients that misbehave -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "wire",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01" + bytes(200),
        os.urandom(3000),
        START + b"\xff" * 500,
        START + bytes(9) * 50,
    ],
    ids=["HTTP/1.1", "TLS", "random", "frames too large", "empty data without a stream"],
)
def test_garbage_is_refused_and_others_are_served(stage: Stage, wire: bytes) -> None:
    client = stage.raw()
    with suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(wire)
    assert reason(drained(client)) in (Reason.PROTOCOL_ERROR, Reason.FRAME_SIZE_ERROR)
    assert stage.channel().call(ECHO, b"x", timeout=PATIENCE) == b"x"


def test_clients_that_come_and_go_at_once_do_no_harm(stage: Stage) -> None:
    for number in range(200):
        client = stage.raw(START[: number % len(START)])
        client.close()
    assert stage.channel().call(ECHO, b"x", timeout=PATIENCE) == b"x"
    until(lambda: len(stage.server._shared.connections) == 1)


FLOODS = {
    "rapid reset": b"".join(
        request(b"", at) + frames.rst_stream(at, Reason.CANCEL) for at in range(1, 4000, 2)
    ),
    "ping": frames.frame(frames.PING, 0, 0, bytes(8)) * 5000,
    "settings": frames.settings() * 5000,
    "empty data": headers() + frames.frame(frames.DATA, 0, 1) * 5000,
    "continuation": headers(last=False) + frames.frame(frames.CONTINUATION, 0, 1) * 5000,
    "window updates": frames.window_update(0, 1) * 5000,
    "priority": frames.frame(frames.PRIORITY, 0, 3, bytes(5)) * 5000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_closes_its_connection_and_others_are_served(stage: Stage, name: str) -> None:
    client = stage.raw(START)
    with suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(FLOODS[name])
    drained(client)
    assert stage.channel().call(ECHO, b"x", timeout=PATIENCE) == b"x"


def test_a_silent_connection_is_closed(start: Callable[..., Stage]) -> None:
    stage = start(handshake_seconds=0.05)
    assert [frame.type for frame in read_frames(drained(stage.raw()))] == [
        frames.SETTINGS,
        frames.WINDOW_UPDATE,
    ]
    settled = stage.channel()
    assert settled.call(ECHO, b"x", timeout=PATIENCE) == b"x"
    assert drained(stage.raw())
    assert settled.call(ECHO, b"same connection", timeout=PATIENCE) == b"same connection"


def test_a_peer_that_never_reads_is_closed(start: Callable[..., Stage]) -> None:
    stage = start(stall_seconds=0.1)
    wide = frames.settings((frames.INITIAL_WINDOW_SIZE, 1 << 24)) + frames.window_update(0, 1 << 24)
    big = framed(bytes(1 << 20))
    wire = b"".join(frames.frame(frames.DATA, 0, 1, big[at : at + 16384]) for at in range(0, len(big), 16384))
    client = stage.raw(START + wide + headers() + wire + frames.frame(frames.DATA, 1, 1))
    until(lambda: bool(stage.service.seen) and not stage.server._shared.connections)
    assert stage.server._shared.clients.budget.held == 0
    client.close()


def test_a_zero_window_that_stays_is_closed(start: Callable[..., Stage]) -> None:
    stage = start(stall_seconds=0.05)
    client = stage.raw(frames.PREFACE + frames.settings((frames.INITIAL_WINDOW_SIZE, 0)) + request(b"x"))
    assert reason(drained(client)) is Reason.ENHANCE_YOUR_CALM


def test_an_idle_connection_is_asked_to_go_and_the_client_comes_back(start: Callable[..., Stage]) -> None:
    stage = start(handshake_seconds=0.05, idle_seconds=0.05)
    channel = stage.channel()
    assert channel.call(ECHO, b"one", timeout=PATIENCE) == b"one"
    until(lambda: all(connection._drained_at is not None for connection in stage.server._shared.connections))
    assert channel.call(ECHO, b"two", timeout=PATIENCE) == b"two"


def test_whatever_clients_do_nothing_is_left_behind(start: Callable[..., Stage]) -> None:
    stage = start(
        blocking_threads=4,
        queued_calls=8,
        stall_seconds=0.3,
        handshake_seconds=0.3,
        request_seconds=0.3,
        connections=40,
    )

    def behave(seed: int) -> int:
        chance = Random(seed)
        answered = 0
        with Channel(lambda: connect(stage.path)) as channel:
            for _ in range(60):
                message = bytes(chance.choice([0, 100, 20_000, 300_000]))
                with suppress(RpcError):
                    assert (
                        channel.call(ECHO, message, timeout=chance.choice([None, PATIENCE, 0.002])) == message
                    )
                    answered += 1
        return answered

    def misbehave(seed: int) -> int:
        chance = Random(seed)
        for _ in range(25):
            with suppress(OSError), stage.raw(START) as client:
                for stream in range(1, 2 * chance.randrange(1, 20), 2):
                    client.sendall(
                        chance.choice(
                            [
                                request(chance.randbytes(2000), stream),
                                request(b"x", stream, (b"grpc-timeout", b"1m")),
                                request(b"x", stream) + frames.rst_stream(stream, Reason.CANCEL),
                                headers(stream)
                                + frames.frame(frames.DATA, 0, stream, framed(bytes(9000))[:5000]),
                                frames.settings(
                                    (frames.INITIAL_WINDOW_SIZE, chance.choice([0, 10, 1 << 20]))
                                ),
                                chance.randbytes(30),
                                request(b"y", stream)[: chance.randrange(60)],
                            ]
                        )
                    )
        return 0

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(behave if seed % 2 else misbehave, seed) for seed in range(8)]
        assert sum(job.result() for job in jobs) > 0
    until(lambda: not stage.server._shared.connections)
    assert stage.server._crew.wait_idle(PATIENCE)
    assert stage.server._shared.clients.budget.held == 0
    assert stage.channel().call(ECHO, b"x", timeout=PATIENCE) == b"x"


# --- stopping -----------------------------------------------------------------------------------------


def test_stopping_lets_running_calls_finish(stage: Stage) -> None:
    (client,) = stage.hang(1)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(stage.server.stop, PATIENCE)
        until(lambda: not os.path.exists(stage.path))
        with pytest.raises(RpcError) as caught:
            stage.channel().call(ECHO, b"", timeout=PATIENCE)
        assert caught.value.code is Code.UNAVAILABLE
        until(lambda: all(known._drained_at is not None for known in stage.server._shared.connections))
        stage.service.release.set()
        assert stopped.result()
    kinds = [frame.type for frame in read_frames(drained(client))]
    assert frames.GOAWAY in kinds
    assert kinds[-3:] == [frames.HEADERS, frames.DATA, frames.HEADERS]


def test_stopping_cancels_what_does_not_finish_in_time(stage: Stage) -> None:
    future = stage.grpc().unary_unary("/v1.Test/UntilCancelled").future(b"", timeout=PATIENCE)
    until(lambda: bool(stage.service.seen))
    assert stage.server.stop(0.01)
    assert future.code() is grpc.StatusCode.UNAVAILABLE
    assert stage.service.cancelled


def test_stopping_with_a_handler_that_hangs_says_so(start: Callable[..., Stage]) -> None:
    stage = start(cancel_seconds=0.05)
    stage.hang(1)
    assert not stage.server.stop(0.01)
    assert stage.server.stop(0.01)


def test_an_idle_server_stops_at_once_and_leaves_no_descriptor_and_no_file(tmp_path: Path) -> None:
    program = f"""
import os
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.server import Server
from csiproxy.rpc.unix import UnixListener, connect
before = len(os.listdir("/dev/fd"))
for _ in range(5):
    server = Server(lambda call: call.message, quick=lambda _, __: True)
    server.add(UnixListener({str(tmp_path / "s")!r}, "s"))
    server.start()
    with Channel(lambda: connect({str(tmp_path / "s")!r})) as channel:
        channel.call("/x", b"x", timeout=20)
    assert server.stop(20)
print(len(os.listdir("/dev/fd")) - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["0"]
    assert os.listdir(tmp_path) == []


def test_a_process_ends_although_a_handler_hangs(tmp_path: Path) -> None:
    program = f"""
import threading, time
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.server import Server
from csiproxy.rpc.status import RpcError
from csiproxy.rpc.unix import UnixListener, connect
limits = Limits(cancel_seconds=0.05)
server = Server(lambda call: threading.Event().wait(), quick=lambda _, __: False, limits=limits)
server.add(UnixListener({str(tmp_path / "s")!r}, "s"))
server.start()
try:
    Channel(lambda: connect({str(tmp_path / "s")!r})).call("/x", b"", timeout=0.2)
except RpcError as error:
    print(error.code.name)
print(server.stop(0.01))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["DEADLINE_EXCEEDED", "False"]


def test_the_server_needs_neither_asyncio_nor_protobuf_nor_logging() -> None:
    program = "import sys, csiproxy.rpc.server, csiproxy.rpc.unix, csiproxy.rpc.channel; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert not {"asyncio", "logging", "ssl", "google.protobuf", "subprocess"} & set(done.stdout.split())
