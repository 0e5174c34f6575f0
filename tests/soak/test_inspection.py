"""Each kind of thing that lives might leave is found by the look at everything."""

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tests.emulated import MIB, PLUGINS, PODS
from tests.soak.client import Client
from tests.soak.ground import Ground
from tests.soak.inspection import Inspector, node_grown, proxy_grown
from tests.soak.plan import Store
from tests.soak.residue import IDLE_CONNECTIONS, Footprint

FEW = Footprint(Counter({"socket:": 4, "/dev/null": 1}), threads=3, children=(), memory=0)


@pytest.fixture
def ground(directory):
    opened = Ground(directory, Store.DIRECTORY, 2, str)
    yield opened
    opened.close()


@pytest.fixture
def client(ground):
    opened = ground.client()
    yield opened
    opened.close()


def lock(ground: Ground, client: Client) -> None:
    Path(ground.node.path, "locks", "f" * 32).touch()


def disk(ground: Ground, client: Client) -> None:
    ground.control.attach(str(ground.directory / "1.img"), create=40 * MIB)


def link(ground: Ground, client: Client) -> None:
    client("filesystem/v1", "CreateSymlink", source_path=PLUGINS, target_path=PODS + r"\left")


def directory_on_c(ground: Ground, client: Client) -> None:
    client("filesystem/v1", "Mkdir", path=PODS + r"\left")


def trace(ground: Ground, client: Client) -> None:
    with open(ground.directory / "node.log", "a") as log:
        log.write("Traceback")


def lost_record(ground: Ground, client: Client) -> None:
    client("disk/v1", "ListDiskIDs")
    os.truncate(ground.keeper.trail, 0)


def torn_record(ground: Ground, client: Client) -> None:
    with open(ground.keeper.trail, "a") as trail:
        trail.write("{\n")


def end_of_its_own(ground: Ground, client: Client) -> None:
    ground.keeper.deaths.append(1)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lock, "locks or marks"),
        (disk, "1 disks"),
        (link, "1 rows of links"),
        (directory_on_c, "drive C: has more"),
        (trace, "node.log says"),
        (lost_record, "0 records say so"),
        (torn_record, "a record is broken"),
        (end_of_its_own, "a proxy has ended by itself: 1"),
    ],
)
def test_what_is_left_or_lost_is_found(ground, client, harm, told):
    inspector = Inspector(ground, 2)
    assert inspector.look() == []
    harm(ground, client)
    client.close()
    assert any(told in line for line in inspector.look(0.0))


def test_a_proxy_whose_clients_never_hang_up_is_found_out(ground):
    inspector = Inspector(ground, 2)
    clients = [ground.client() for _ in range(IDLE_CONNECTIONS + 1)]
    for client in clients:
        client("disk/v1", "Rescan")
    assert any("proxy has 9 sockets more" in line for line in inspector.look(0.0))
    for client in clients:
        client.close()
    assert Inspector(ground, 2).look() == []


def test_a_killed_proxy_has_a_successor_and_every_record_of_both_counts(ground, client):
    inspector = Inspector(ground, 2)
    client("disk/v1", "Rescan")
    serial = ground.keeper.serial
    ground.keeper.kill()
    assert inspector.look() == []
    assert ground.keeper.serial == serial + 1
    client("disk/v1", "Rescan")
    assert inspector.look() == []
    assert inspector.records == 2


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (replace(FEW, descriptors=Counter({"socket:": 4, "/dev/null": 2})), "descriptors more"),
        (replace(FEW, descriptors=Counter({"socket:": 4, "/dev/null": 1, "/x": 1})), "descriptors more"),
        (replace(FEW, descriptors=Counter({"socket:": 13, "/dev/null": 1}), threads=12), "sockets more"),
        (replace(FEW, threads=4), "threads more"),
        (replace(FEW, children=("sleep 1",)), "has a child: sleep 1"),
    ],
)
def test_what_a_node_has_more_is_told(now, told):
    assert any(told in line for line in node_grown(FEW, now, keeps_sessions=False))


@pytest.mark.parametrize(
    "now",
    [
        FEW,
        replace(FEW, descriptors=Counter({"socket:": 12, "/dev/null": 1}), threads=11),  # connections
        replace(FEW, descriptors=Counter({"socket:": 3}), threads=2),
    ],
)
def test_connections_that_wait_are_no_leak(now):
    assert list(node_grown(FEW, now, keeps_sessions=False)) == []


def test_threads_that_wait_for_calls_are_no_leak_and_more_are():
    assert list(proxy_grown(FEW, replace(FEW, threads=7), workers=2)) == []
    assert "5 threads more" in next(proxy_grown(FEW, replace(FEW, threads=8), workers=2))
