import os
from pathlib import Path

import pytest

from csiproxy.cli.demo.node import Node
from csiproxy.cli.failure import Failure
from csiproxy.errors import Code, NotFound
from csiproxy.rpc.status import RpcError


def test_a_killed_proxy_refuses_and_its_successor_answers_the_same_client(short_directory: Path) -> None:
    with Node("n", str(short_directory / "n")) as node:
        node.start_machine()
        first = node.start_proxy()
        node.client.call("disk/v1", "Rescan", {})
        assert node.kill_proxy() == -9
        with pytest.raises(RpcError) as failed:
            node.client.call("disk/v1", "Rescan", {})
        assert failed.value.code is Code.UNAVAILABLE
        assert node.start_proxy() != first
        node.client.call("disk/v1", "Rescan", {})
        assert node.stop() == (0, 0)
        assert node.stop() == ()


def test_nothing_runs_once_its_context_is_left(short_directory: Path) -> None:
    with Node("n", str(short_directory / "n")) as node:
        pids = [node.start_machine(), node.start_proxy()]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_node_is_read_past_the_proxy(node: Node) -> None:
    assert [disk.number for disk in node.disks()] == [0, 1]
    assert node.disk(1).serial_number == "SERIAL-1"
    assert node.links().complete
    with pytest.raises(NotFound, match="no disk 9"):
        node.disk(9)
    with pytest.raises(NotFound, match="no volume x"):
        node.volume("x")


def test_disks_come_grow_and_go(node: Node) -> None:
    image = f"{node.directory}-second.img"
    number = node.attach(image, serial="S2", lun=9, create=32 << 20)
    node.grow(number, 64 << 20)
    assert os.path.getsize(image) == 64 << 20
    node.detach(number)
    assert [disk.number for disk in node.disks()] == [0, 1]


def test_a_path_of_drive_c_is_a_path_of_the_host(node: Node) -> None:
    assert os.path.isdir(node.host_path(r"C:\var\lib\kubelet\pods"))


def test_a_node_that_was_not_started_cannot_be_read(short_directory: Path) -> None:
    with Node("n", str(short_directory / "n")) as node, pytest.raises(Failure):
        node.disks()
