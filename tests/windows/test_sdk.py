"""The Python SDK over named pipes, inside a Windows Python."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import listener

import csiproxy
from csiproxy.api import status_details
from csiproxy.api.disk import v1beta2_pb2
from csiproxy.api.endpoints import pipe_name
from csiproxy.api.versions import contract
from csiproxy.client import NO_RETRY
from csiproxy.errors import Code, DeadlineExceeded, FailedPrecondition, Unavailable
from csiproxy.rpc.call import Call
from csiproxy.rpc.server import Server
from csiproxy.rpc.status import RpcError

pytestmark = pytest.mark.windows

PATIENCE = 20.0


@pytest.fixture
def serve(request):
    """Serves a version at its own pipe with a handler of the test's."""

    def start(name: str, handle) -> None:
        endpoint = contract(name).endpoint
        server = Server(handle, quick=lambda _, __: False)
        server.add(listener(pipe_name(endpoint), endpoint))
        server.start()
        request.addfinalizer(lambda: server.stop(PATIENCE))

    return start


def disk(call: Call) -> bytes:
    """An old server: two disks, of which 0 is the system's."""
    if call.method.endswith("ListDiskIDs"):
        reply = v1beta2_pb2.ListDiskIDsResponse()
        for number in ("0", "1"):
            reply.diskIDs[number].identifiers["serialNumber"] = f"SERIAL{number}"
        return reply.SerializeToString()
    if v1beta2_pb2.PartitionDiskRequest.FromString(call.message).diskID == "0":
        text = "disk 0 holds the system"
        details = status_details.encode(Code.FAILED_PRECONDITION, text, windows_code=50, origin="")
        raise RpcError(Code.FAILED_PRECONDITION, text, details)
    return b""


def test_an_old_servers_pipe_is_found_called_and_understood(serve):
    serve("disk/v1beta2", disk)
    with csiproxy.connect() as client:
        assert client.served() == ("disk/v1beta2",)
        assert [ids.serial_number for ids in client.disk.list_disk_ids()] == ["SERIAL0", "SERIAL1"]
        client.disk.partition_disk(1)
        with pytest.raises(FailedPrecondition, match="holds the system") as refused:
            client.disk.partition_disk(0)
        assert refused.value.windows_code == 50


def test_calls_on_pipes_go_on_side_by_side_and_are_awaited(serve):
    together = Barrier(6)

    def meet(_: Call) -> bytes:
        together.wait(PATIENCE)
        return b""

    serve("disk/v1", meet)
    with csiproxy.connect() as client, ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(client.disk.rescan) for _ in range(6)]:
            done.result(PATIENCE)

    async def run() -> None:
        async with csiproxy.connect().asynchronous() as client:
            await asyncio.gather(*(client.disk.rescan() for _ in range(6)))

    asyncio.run(run())


def test_a_hanging_call_ends_at_its_deadline_and_a_missing_pipe_is_unavailable(serve):
    release = Barrier(2)

    def hang(_: Call) -> bytes:
        release.wait(PATIENCE)
        return b""

    serve("disk/v1", hang)
    with csiproxy.connect(retry=NO_RETRY) as client:
        with pytest.raises(DeadlineExceeded):
            client.within(0.3).disk.rescan()
        release.wait(PATIENCE)
        with pytest.raises(Unavailable, match="no version of group smb is served on named pipes"):
            client.smb.remove_smb_global_mapping(r"\\server\share")
