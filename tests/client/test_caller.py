"""Calls through servers that answer as their writers, or their faults, would have them."""

import time
from concurrent import futures
from threading import Event

import grpc
import pytest
from tests.client.served import PATIENCE, Served

from csiproxy.api.disk import v1_pb2, v1beta2_pb2
from csiproxy.api.endpoints import socket_path
from csiproxy.api.filesystem import v1beta1_pb2
from csiproxy.api.system import v1alpha1_pb2 as system_pb2
from csiproxy.client import NO_RETRY, connect
from csiproxy.errors import (
    Aborted,
    Code,
    CsiProxyError,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    Unavailable,
    Unimplemented,
)
from csiproxy.rpc.call import Call
from csiproxy.rpc.status import RpcError


@pytest.fixture
def serve(tmp_path, request):
    def start(handle, *names):
        served = Served(tmp_path / "e", handle, *(names or ("disk/v1", "volume/v1", "filesystem/v1")))
        request.addfinalizer(served.close)
        return served

    return start


def failing(code, times):
    """Fails so often, then succeeds with an empty reply."""
    left = [times]

    def handle(call: Call) -> bytes:
        if left[0]:
            left[0] -= 1
            raise RpcError(code, f"not now, {call.method}")
        return b""

    return handle


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.ABORTED])
def test_what_passes_is_tried_again(serve, code):
    served = serve(failing(code, 2))
    with served.client(attempts=3) as client:
        client.disk.partition_disk(3)
    assert len(served.calls) == 3


def test_the_last_failure_is_told_when_it_does_not_pass(serve):
    served = serve(failing(Code.ABORTED, 9))
    with served.client(attempts=3) as client, pytest.raises(Aborted, match="not now") as failed:
        client.disk.rescan()
    assert len(served.calls) == 3
    assert failed.value.__notes__ == ["in disk/v1 Rescan"]


def test_a_format_whose_reply_may_have_been_lost_is_not_sent_again(serve):
    served = serve(failing(Code.UNAVAILABLE, 1))
    with served.client(attempts=5) as client, pytest.raises(Unavailable):
        client.volume.format_volume("x")
    assert len(served.calls) == 1


def test_a_format_that_another_operation_held_up_is(serve):
    served = serve(failing(Code.ABORTED, 1))
    with served.client(attempts=5) as client:
        client.volume.format_volume("x")
    assert len(served.calls) == 2


def test_what_does_not_pass_is_not_tried_again(serve):
    served = serve(failing(Code.FAILED_PRECONDITION, 9))
    with served.client(attempts=5) as client, pytest.raises(FailedPrecondition):
        client.disk.rescan()
    assert len(served.calls) == 1


def test_a_server_that_is_started_meanwhile_is_found_whatever_it_serves(tmp_path, request):
    started: list[Served] = []

    def start(_: float) -> None:
        if not started:
            started.append(Served(tmp_path, lambda _: b"", "disk/v1beta1"))
            request.addfinalizer(started[0].close)

    from csiproxy.client.caller import Caller
    from csiproxy.client.client import Client
    from csiproxy.client.retry import Retry
    from csiproxy.client.wire import Wire

    caller = Caller(Wire(str(tmp_path)), timeout=PATIENCE, retry=Retry(), sleep=start)
    with Client(caller) as client:
        client.disk.partition_disk(1)
    assert [call.method for call in started[0].calls] == ["/v1beta1.Disk/PartitionDisk"]


def test_a_server_that_was_replaced_by_an_older_one_is_understood(tmp_path):
    newer = Served(tmp_path, lambda _: b"", "disk/v1")
    with newer.client(attempts=3) as client:
        client.disk.partition_disk(1)
        newer.close()
        older = Served(tmp_path, lambda _: b"", "disk/v1beta2")
        client.disk.partition_disk(2)
        older.close()
    assert [call.method for call in older.calls] == ["/v1beta2.Disk/PartitionDisk"]
    assert v1beta2_pb2.PartitionDiskRequest.FromString(older.messages[0]).diskID == "2"


def test_a_deadline_ends_the_call_and_reaches_the_server(serve):
    released = Event()

    def hang(call: Call) -> bytes:
        assert call.deadline is not None
        call.on_cancel(released.set)
        assert released.wait(PATIENCE)
        return b""

    served = serve(hang)
    with served.client() as client, pytest.raises(DeadlineExceeded):
        client.within(0.2).disk.rescan()
    assert released.wait(PATIENCE)


def test_no_call_is_made_after_the_deadline_and_no_pause_goes_beyond_it(serve):
    served = serve(failing(Code.ABORTED, 99))
    with served.client(attempts=99) as client:
        late = client.within(0.0)
        with pytest.raises(DeadlineExceeded, match="before the call was made"):
            late.disk.rescan()
        assert served.calls == []
    patient = connect(served.directory, retry=type(NO_RETRY)(attempts=5, first=60.0, longest=60.0))
    with patient, pytest.raises(Aborted):
        patient.within(1.0).disk.rescan()
    assert len(served.calls) == 1


def test_an_error_text_in_an_early_versions_reply_is_a_failure(serve):
    def refuse(_: Call) -> bytes:
        return v1beta1_pb2.LinkPathResponse(error="no such path").SerializeToString()

    served = serve(refuse, "filesystem/v1beta1")
    with served.client() as client, pytest.raises(CsiProxyError, match="no such path") as failed:
        client.filesystem.create_symlink(source_path=r"C:\a", target_path=r"C:\b")
    assert failed.value.code is Code.UNKNOWN


@pytest.mark.parametrize(
    ("name", "reply", "ask"),
    [
        ("disk/v1", b"\xff\xff", lambda client: client.disk.list_disk_ids()),
        (
            "disk/v1beta2",
            v1beta2_pb2.ListDiskIDsResponse(
                diskIDs={"one": v1beta2_pb2.DiskIDs(identifiers={})}
            ).SerializeToString(),
            lambda client: client.disk.list_disk_ids(),
        ),
        (
            "system/v1alpha1",
            system_pb2.GetServiceResponse(status=77).SerializeToString(),
            lambda client: client.system.get_service("x"),
        ),
    ],
)
def test_a_reply_that_makes_no_sense_is_internal(serve, name, reply, ask):
    served = serve(lambda _: reply, name)
    with served.client() as client, pytest.raises(Internal, match="makes no sense"):
        ask(client)


def test_a_method_that_the_server_turns_out_not_to_have_is_unimplemented(serve):
    def unknown(_: Call) -> bytes:
        raise RpcError(Code.UNIMPLEMENTED, "unknown method")

    with serve(unknown).client() as client, pytest.raises(Unimplemented):
        client.disk.rescan()


class GoLike(grpc.GenericRpcHandler):
    """Another library's server that says failures as the Go csi-proxy does: UNKNOWN and a text."""

    def service(self, details):
        def list_ids(_, __):
            return v1_pb2.ListDiskIDsResponse(diskIDs={4: v1_pb2.DiskIDs(page83="naa.5")}).SerializeToString()

        def refuse(_, context):
            context.abort(grpc.StatusCode.UNKNOWN, "could not partition disk 9")

        chosen = {"/v1.Disk/ListDiskIDs": list_ids, "/v1.Disk/PartitionDisk": refuse}.get(details.method)
        return grpc.unary_unary_rpc_method_handler(chosen) if chosen else None


def test_another_librarys_server_is_called_and_its_plain_status_is_an_exception(tmp_path):
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(GoLike(),))
    server.add_insecure_port("unix:" + socket_path(str(tmp_path), "csi-proxy-disk-v1"))
    server.start()
    try:
        with connect(tmp_path) as client:
            [ids] = client.disk.list_disk_ids()
            assert (ids.disk_number, ids.page83) == (4, "naa.5")
            with pytest.raises(CsiProxyError, match="could not partition disk 9") as failed:
                client.disk.partition_disk(9)
            assert (failed.value.code, failed.value.origin) == (Code.UNKNOWN, "")
            with pytest.raises(Unimplemented):
                client.disk.rescan()
    finally:
        server.stop(None).wait(PATIENCE)


def test_a_deadline_is_seconds_from_now_for_the_server(serve):
    left = []
    served = serve(lambda call: left.append(call.deadline - time.monotonic()) or b"")
    with served.client(timeout=500.0) as client:
        client.disk.rescan()
        client.within(1000.0).disk.rescan()
    assert 0 < left[0] <= 500 < left[1] <= 1000
