"""The server on pipes: crowds, silent clients, hanging calls, clients that are killed, and its end."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import listener, pipe_name

from csiproxy.errors import Code
from csiproxy.rpc.call import Call
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.pipe import PipeClient, connect
from csiproxy.rpc.server import Server
from csiproxy.rpc.status import RpcError

pytestmark = pytest.mark.windows

ECHO = "/test.Test/Echo"
DEFAULT = Limits()


@contextmanager
def serving(
    handler: Callable[[Call], bytes], limits: Limits = DEFAULT, pipes: int = 1
) -> Iterator[list[str]]:
    server = Server(handler, quick=lambda endpoint, method: method == ECHO, limits=limits)
    names = [pipe_name() for _ in range(pipes)]
    for name in names:
        server.add(listener(name))
    server.start()
    try:
        yield names
    finally:
        server.stop(0)


def channel(pipe: str) -> Channel:
    return Channel(lambda: connect(pipe))


def echo(call: Call) -> bytes:
    return call.message


def test_a_call_is_answered_and_the_handler_knows_who_called() -> None:
    callers = []

    def handler(call: Call) -> bytes:
        callers.append(call.peer)
        return call.message[::-1]

    with serving(handler) as (pipe,), channel(pipe) as client:
        assert client.call(ECHO, b"abc", timeout=10) == b"cba"
        assert client.call(ECHO, b"", timeout=10) == b""
    assert {peer.image.lower().rpartition("\\")[2] for peer in callers} == {"python.exe"}
    assert all(peer.account and peer.session is not None for peer in callers)


@pytest.mark.parametrize("size", [1, 16 * 1024, 100_000, 3 * 1024 * 1024])
def test_messages_of_any_size_come_back(size: int) -> None:
    message = bytes(range(256)) * (size // 256 + 1)
    with serving(echo) as (pipe,), channel(pipe) as client:
        assert client.call(ECHO, message, timeout=30) == message


def test_fifty_clients_at_once_on_twenty_five_pipes_find_no_pipe_busy() -> None:
    failures: list[Exception] = []
    together = threading.Barrier(50)

    def use(pipe: str, number: int) -> None:
        try:
            together.wait(30)
            with channel(pipe) as client:
                for _ in range(5):
                    assert client.call(ECHO, b"%d" % number, timeout=30) == b"%d" % number
        except Exception as error:  # noqa: BLE001  told by the test's own thread
            failures.append(error)

    with serving(echo, pipes=25) as pipes:
        threads = [threading.Thread(target=use, args=(pipes[n % 25], n)) for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_silent_clients_cost_no_thread_and_keep_nobody_out() -> None:
    with serving(echo) as (pipe,):
        with channel(pipe) as client:
            client.call(ECHO, b"", timeout=10)
            threads = threading.active_count()
            silent = [connect(pipe) for _ in range(60)]
            assert client.call(ECHO, b"still here", timeout=10) == b"still here"
            assert threading.active_count() <= threads + 1
        for end in silent:
            end.close()


def test_a_silent_client_is_sent_away_after_the_handshake_time() -> None:
    with serving(echo, Limits(handshake_seconds=0.2)) as (pipe,):
        silent = connect(pipe)
        assert drained(silent)
        silent.close()


def drained(end: PipeClient) -> bool:
    """Read until the other end hangs up."""
    while end.wait(write=False, timeout=20):
        if not end.receive(65536):
            return True
    return False


def test_calls_that_hang_keep_nobody_from_being_served() -> None:
    release = threading.Event()

    def handler(call: Call) -> bytes:
        if call.method != ECHO:
            release.wait(30)
        return call.message

    with serving(handler) as (pipe,):
        hanging = [channel(pipe) for _ in range(10)]
        threads = [
            threading.Thread(target=each.call, args=("/test.Test/Hang", b""), kwargs={"timeout": 30})
            for each in hanging
        ]
        for thread in threads:
            thread.start()
        with channel(pipe) as client:
            for _ in range(20):
                assert client.call(ECHO, b"x", timeout=10) == b"x"
        release.set()
        for thread in threads:
            thread.join()


def test_a_deadline_ends_a_call_on_both_sides() -> None:
    noticed = threading.Event()

    def handler(call: Call) -> bytes:
        call.on_cancel(noticed.set)
        noticed.wait(30)
        return b""

    with serving(handler) as (pipe,), channel(pipe) as client:
        with pytest.raises(RpcError) as late:
            client.call("/test.Test/Wait", b"", timeout=0.2)
        assert late.value.code is Code.DEADLINE_EXCEEDED
        assert noticed.wait(10)


def test_a_client_that_is_killed_cancels_its_call() -> None:
    running, noticed = threading.Event(), threading.Event()

    def handler(call: Call) -> bytes:
        call.on_cancel(noticed.set)
        running.set()
        noticed.wait(60)
        return b""

    code = (
        "import sys; from csiproxy.rpc.channel import Channel; from csiproxy.rpc.pipe import connect; "
        "Channel(lambda: connect(sys.argv[1])).call('/test.Test/Wait', b'')"
    )
    with serving(handler) as (pipe,):
        client = subprocess.Popen([sys.executable, "-c", code, pipe])
        assert running.wait(60)
        client.kill()
        client.wait()
        assert noticed.wait(30)


def test_a_client_that_does_not_read_is_given_up_and_others_are_served() -> None:
    reply = b"x" * (1024 * 1024)

    with serving(lambda call: reply, Limits(stall_seconds=1.0)) as (pipe,):
        from csiproxy.rpc.client_protocol import ClientConnection

        protocol = ClientConnection(Limits(), monotonic(), "localhost")
        greedy = connect(pipe)
        for _ in range(20):
            protocol.request(ECHO, b"", None)
        unsent = protocol.take()
        while unsent:
            assert greedy.wait(write=True, timeout=10)
            try:
                unsent = unsent[greedy.send(unsent) :]
            except BlockingIOError:
                continue
        with channel(pipe) as client:
            assert client.call(ECHO, b"", timeout=30) == reply
        assert drained(greedy)
        greedy.close()


def test_the_end_is_orderly_and_takes_less_than_the_grace() -> None:
    server = Server(echo, quick=lambda endpoint, method: True)
    pipes = [pipe_name() for _ in range(25)]
    for pipe in pipes:
        server.add(listener(pipe))
    server.start()
    clients = [channel(pipe) for pipe in pipes]
    for client in clients:
        client.call(ECHO, b"", timeout=10)
    assert server.stop(30)
    for client, pipe in zip(clients, pipes, strict=True):
        with pytest.raises(RpcError) as refused:
            client.call(ECHO, b"", timeout=10)
        assert refused.value.code is Code.UNAVAILABLE
        with pytest.raises(FileNotFoundError):
            connect(pipe)
        client.close()


def test_a_call_that_runs_at_the_end_is_finished() -> None:
    running, release = threading.Event(), threading.Event()

    def handler(call: Call) -> bytes:
        running.set()
        release.wait(30)
        return b"done"

    server = Server(handler, quick=lambda endpoint, method: False)
    pipe = pipe_name()
    server.add(listener(pipe))
    server.start()
    replies: list[bytes] = []
    with channel(pipe) as client:
        calling = threading.Thread(target=lambda: replies.append(client.call("/t.T/Run", b"", timeout=30)))
        calling.start()
        assert running.wait(10)
        stopping = threading.Thread(target=server.stop, args=(30,))
        stopping.start()
        release.set()
        stopping.join()
        calling.join()
    assert replies == [b"done"]


def handles() -> int:
    """Count this process' handles.  Under Wine the usual function always says 0; the table's rows do not."""
    import ctypes
    from ctypes import wintypes

    kernel32 = ctypes.WinDLL("kernel32")
    count = wintypes.DWORD()
    kernel32.GetProcessHandleCount.argtypes = [wintypes.HANDLE, ctypes.c_void_p]
    kernel32.GetProcessHandleCount(wintypes.HANDLE(-1), ctypes.byref(count))
    if count.value:
        return count.value
    ntdll = ctypes.WinDLL("ntdll")
    system_handles = 16
    buffer = ctypes.create_string_buffer(4 * 1024 * 1024)
    assert ntdll.NtQuerySystemInformation(system_handles, buffer, len(buffer), None) == 0
    rows = ctypes.c_uint32.from_buffer(buffer).value

    class Row(ctypes.Structure):
        _fields_ = (("owner", ctypes.c_uint32), ("rest", ctypes.c_ubyte * 20))

    table = (Row * rows).from_buffer(buffer, 8)
    import os

    return sum(row.owner == os.getpid() for row in table)


def test_connections_leave_no_handle_behind() -> None:
    def use(pipe: str, rounds: int) -> None:
        for at in range(rounds):
            if at % 2:
                with channel(pipe) as client:
                    client.call(ECHO, b"x", timeout=10)
            else:
                connect(pipe).close()

    with serving(echo) as (pipe,):
        use(pipe, 20)
        with channel(pipe) as client:
            client.call(ECHO, b"", timeout=10)
        before = handles()
        use(pipe, 300)
        with channel(pipe) as client:  # everything before it has been noticed
            client.call(ECHO, b"", timeout=10)
        assert before
        assert handles() <= before + 10
