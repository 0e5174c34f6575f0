"""``csiproxy.local()``: the same calls without a proxy, on an emulated node."""

import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.emulated import KUBELET, PLUGINS, EmulatedNode

import csiproxy
from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    PermissionDenied,
    Unavailable,
    Unimplemented,
)
from csiproxy.testing import Node


@pytest.fixture
def node(tmp_path):
    made = EmulatedNode(tmp_path)
    yield made
    made.close()


def test_a_disk_becomes_a_mounted_volume_without_any_endpoint(node):
    disk = node.attach()
    with csiproxy.local(node.host) as client:
        client.disk.partition_disk(disk)
        [volume] = client.volume.list_volumes_on_disk(disk)
        client.volume.format_volume(volume)
        client.filesystem.mkdir(PLUGINS + r"\v")
        client.volume.mount_volume(volume, PLUGINS + r"\v")
        assert client.volume.get_volume_id_from_target_path(PLUGINS + r"\v") == volume
        assert client.csi_proxy_service.path_exists(PLUGINS + r"\v")
        assert "disk/v1" in client.served()


def test_failures_are_the_same_classes_with_the_windows_code(node):
    with csiproxy.local(node.host) as client:
        with pytest.raises(FailedPrecondition, match="disk holds the system") as refused:
            client.disk.partition_disk(0)
        assert refused.value.windows_code == 50
        with pytest.raises(PermissionDenied):
            client.filesystem.mkdir(r"C:\Windows\elsewhere")


def test_it_works_for_asyncio_too(node):
    async def ask():
        async with csiproxy.local(node.host).asynchronous() as client:
            return await client.disk.get_disk_state(0)

    assert asyncio.run(ask()) is True


def test_the_operators_choices_are_kept_to_and_checked(node):
    for prefix in (r"C:\k", r"C:\work"):
        node.make(prefix)
    with csiproxy.local(node.host, kubelet_path=r"C:\k", working_dirs=(r"C:\work",)) as client:
        client.filesystem.mkdir(r"C:\k\a")
        client.filesystem.mkdir(r"C:\work\a")
        with pytest.raises(PermissionDenied):
            client.filesystem.mkdir(KUBELET + r"\a")
    with pytest.raises(InvalidArgument):
        csiproxy.local(node.host, kubelet_path="nowhere")


def test_every_call_has_its_audit_record_and_no_secret_is_in_it(node, tmp_path):
    records = tmp_path / "audit.jsonl"
    with csiproxy.local(node.host, audit_log=str(records)) as client:
        client.disk.rescan()
        with pytest.raises(InvalidArgument):
            client.smb.new_smb_global_mapping("no share", username="user", password="hidden from all")
    text = records.read_text()
    assert [json.loads(line)["rpc"] for line in text.splitlines()] == [
        "/v1.Disk/Rescan",
        "/v1.Smb/NewSmbGlobalMapping",
    ]
    assert "hidden from all" not in text


def test_a_closed_client_says_so_and_its_last_call_is_still_recorded(node, tmp_path):
    records, complaints = tmp_path / "audit.jsonl", io.StringIO()
    node.machine.faults.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.HANG))
    client = csiproxy.local(node.host, audit_log=str(records), log=complaints)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(client.disk.rescan)
        while node.machine.faults.pending():
            pass
        client.close()
        client.close()
        with pytest.raises(RuntimeError, match="closed"):
            client.disk.rescan()
        node.machine.faults.clear()
        running.result(60)
    assert len(records.read_text().splitlines()) == 1
    assert complaints.getvalue() == ""


def test_a_deadline_holds_for_calls_in_this_process(node):
    with csiproxy.local(node.host) as client, pytest.raises(DeadlineExceeded):
        client.within(0.0).disk.rescan()


def test_a_node_is_named_like_for_serve():
    with Node.temporary() as emulated:
        with csiproxy.local(f"emulator:{emulated.directory / 'node'}") as client:
            client.filesystem.mkdir(PLUGINS)
        with emulated.client() as other:
            assert other.filesystem.path_exists(PLUGINS)


def test_a_host_that_there_is_not_is_refused_in_words(tmp_path):
    with pytest.raises(Unimplemented, match="name an emulated node"):
        csiproxy.local()
    with pytest.raises(InvalidArgument, match="write emulator:DIR"):
        csiproxy.local("elsewhere")
    (tmp_path / "file").write_text("no entrance")
    with pytest.raises(Unavailable):
        csiproxy.local(f"emulator:{tmp_path / 'file'}")
