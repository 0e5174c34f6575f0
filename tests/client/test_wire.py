"""Connections to endpoints: several at once, given up with the client, refused in words."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import pytest
from tests.client.served import PATIENCE, Served

from csiproxy.client import connect
from csiproxy.client.wire import Wire
from csiproxy.errors import Code, DeadlineExceeded, PermissionDenied
from csiproxy.rpc.status import RpcError


def test_calls_to_one_endpoint_go_on_side_by_side(tmp_path):
    together = Barrier(3)

    def meet(_):
        together.wait(PATIENCE)
        return b""

    served = Served(tmp_path, meet, "disk/v1")
    with served.client() as client, ThreadPoolExecutor(3) as threads:
        for done in [threads.submit(client.disk.rescan) for _ in range(3)]:
            done.result(PATIENCE)
    served.close()


def test_more_calls_than_connections_wait_their_turn_and_not_beyond_their_deadline(tmp_path):
    begun, release = Event(), Event()

    def hang(_):
        begun.set()
        assert release.wait(PATIENCE)
        return b""

    served = Served(tmp_path, hang, "disk/v1")
    with connect(tmp_path, connections=1) as client, ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.disk.rescan)
        assert begun.wait(PATIENCE)
        with pytest.raises(DeadlineExceeded):
            client.within(0.05).disk.rescan()
        release.set()
        first.result(PATIENCE)
        client.disk.rescan()
    served.close()


def test_a_connection_is_used_again(tmp_path):
    seen = set()
    served = Served(tmp_path, lambda call: seen.add(id(call.peer)) or b"", "disk/v1")
    with served.client() as client:
        for _ in range(5):
            client.disk.rescan()
    served.close()
    assert len(seen) == 1


def test_a_closed_client_says_so(tmp_path):
    served = Served(tmp_path, lambda _: b"", "disk/v1")
    client = served.client()
    client.disk.rescan()
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.disk.rescan()
    served.close()


def test_a_close_leaves_the_calls_that_go_on_alone(tmp_path):
    begun, release = Event(), Event()

    def hang(_):
        begun.set()
        assert release.wait(PATIENCE)
        return b""

    served = Served(tmp_path, hang, "disk/v1")
    client = served.client()
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(client.disk.rescan)
        assert begun.wait(PATIENCE)
        client.close()
        release.set()
        assert running.result(PATIENCE) is None
    served.close()


@contextmanager
def unprivileged():
    """Root may open every socket, so for a moment be somebody else."""
    account = os.geteuid()
    os.seteuid(account or 65534)
    try:
        yield
    finally:
        os.seteuid(account)


def test_an_endpoint_that_may_not_be_opened_is_denied_in_words(tmp_path):
    served = Served(tmp_path, lambda _: b"", "disk/v1")
    os.chmod(tmp_path / "csi-proxy-disk-v1.sock", 0)
    with (
        served.client() as client,
        unprivileged(),
        pytest.raises(PermissionDenied, match="may not be opened"),
    ):
        client.disk.rescan()
    os.chmod(tmp_path / "csi-proxy-disk-v1.sock", stat.S_IRWXU)
    served.close()


def test_what_is_no_socket_or_a_dead_one_is_not_reached(tmp_path):
    wire = Wire(str(tmp_path))
    (tmp_path / "csi-proxy-disk-v1.sock").write_text("no socket")
    assert not wire.reaches("csi-proxy-disk-v1")
    assert not wire.reaches("csi-proxy-disk-v1beta1")
    with pytest.raises(RpcError) as failed:
        wire.call("csi-proxy-disk-v1", "/v1.Disk/Rescan", b"", 1.0)
    assert failed.value.code is Code.UNAVAILABLE
