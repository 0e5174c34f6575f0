"""A completion port keeps what the kernel still writes to."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import pipe_name

from csiproxy.rpc import pipe_api as api
from csiproxy.rpc.pipe_port import CompletionPort, Operation

pytestmark = pytest.mark.windows


def test_an_operation_that_was_cancelled_is_kept_until_its_packet_was_taken() -> None:
    port = CompletionPort()
    handle = api.must(
        api.create_pipe(pipe_name(), api.PIPE_ACCESS_DUPLEX | api.FILE_FLAG_OVERLAPPED, 0, 1, 0, 0, 0, None)
    )
    port.associate(handle)
    ended: list[int] = []

    def done(size: int, error: int) -> int:
        ended.append(error)
        return 0

    assert port.begin(Operation(None, done), api.connect_pipe, handle) == api.ERROR_IO_PENDING
    assert port.pending == 1
    api.cancel_io(handle, None)
    api.close_handle(handle)
    packet = port.take(10)
    assert packet is not None
    assert packet.operation is not None
    packet.operation.done(packet.size, packet.error)
    assert ended == [api.ERROR_OPERATION_ABORTED]
    assert port.pending == 0
    port.close()


def test_closing_takes_what_is_left() -> None:
    port = CompletionPort()
    handle = api.must(
        api.create_pipe(pipe_name(), api.PIPE_ACCESS_DUPLEX | api.FILE_FLAG_OVERLAPPED, 0, 1, 0, 0, 0, None)
    )
    port.associate(handle)
    port.begin(Operation(None, lambda size, error: 0), api.connect_pipe, handle)
    api.cancel_io(handle, None)
    api.close_handle(handle)
    port.close()
    assert port.pending == 0


def test_an_operation_that_fails_at_once_sends_no_packet() -> None:
    port = CompletionPort()
    operation = Operation(None, lambda size, error: 0)
    assert port.begin(operation, api.connect_pipe, api.INVALID_HANDLE) not in (0, api.ERROR_IO_PENDING)
    assert port.pending == 0
    assert port.take(0) is None
    port.wake()
    packet = port.take(5)
    assert packet is not None
    assert packet.operation is None
    port.close()
