"""The node's entrance: on this host only, nothing without the token, no more than the port with it."""

import errno
import os
import secrets
import socket
import stat
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator.entered import entered

from csiproxy.emulator import frames, tcp, wire
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.node import MOST_THROUGH_ENTRANCE
from csiproxy.emulator.tcp import Entrance, EntrancePlace
from csiproxy.emulator.wire import Request, WireError
from csiproxy.errors import HostError, HostUnreachable


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    directory = tmp_path_factory.mktemp("entered")
    with Machine(str(directory / "node")) as machine, entered(machine, str(directory / "token")) as node:
        yield node


# What a program gets after the other end has hung up on what it has not read.
HUNG_UP = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)


def knock(node, shown):
    """Show something at the entrance; all that comes back until it is closed."""
    door = tcp.read(node.token_file)
    with socket.create_connection((door.host, door.port)) as connection:
        answer = b""
        try:
            connection.sendall(shown)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(4096):
                answer += part
        except OSError as error:
            if error.errno not in HUNG_UP:
                raise
        return answer


def test_the_token_file_is_for_its_owner_only_and_each_start_has_another_token(tmp_path):
    tokens = set()
    for _ in range(2):
        entrance = Entrance(EntrancePlace("127.0.0.1:0", str(tmp_path / "token")))
        assert stat.S_IMODE(os.stat(tmp_path / "token").st_mode) == 0o600
        door = tcp.read(str(tmp_path / "token"))
        assert door == entrance.door
        assert entrance.socket.getsockname() == (door.host, door.port)
        assert door.token not in repr(door)
        tokens.add(door.token)
        entrance.close()
        assert os.listdir(tmp_path) == []
    assert len(tokens) == 2


def test_an_entrance_leaves_the_file_of_its_successor_alone(tmp_path):
    place = EntrancePlace("127.0.0.1:0", str(tmp_path / "token"))
    first, second = Entrance(place), Entrance(place)
    first.close()
    assert tcp.read(place.file) == second.door
    second.close()
    assert not os.path.exists(place.file)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:0", "[::]:0", "10.0.0.1:80", "localhost:0", "127.0.0.1", "127.0.0.1:65536", "128.0.0.1:1", ""],
)
def test_an_address_that_others_can_reach_is_refused(tmp_path, address):
    with pytest.raises(HostError, match=r"127\.0\.0\.1:0"):
        Entrance(EntrancePlace(address, str(tmp_path / "token")))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.0.0.7:0"])
def test_any_loopback_address_will_do(tmp_path, address):
    entrance = Entrance(EntrancePlace(address, str(tmp_path / "token")))
    assert tcp.read(str(tmp_path / "token")).host == address.partition(":")[0]
    entrance.close()


@pytest.mark.parametrize(
    "text", ["", "x", "127.0.0.1:1 abc", "10.0.0.1:1 " + "0" * 64, "127.0.0.1:1 " + "0" * 64 + "\nmore"]
)
def test_another_file_is_no_token_file(tmp_path, text):
    path = tmp_path / "token"
    path.write_text(text)
    with pytest.raises(WireError):
        tcp.read(str(path))
    with pytest.raises(HostUnreachable):
        tcp.dial(str(path))


def test_whoever_shows_the_token_is_greeted_without_a_word_about_the_host(node):
    answer = knock(node, tcp.read(node.token_file).token.encode())
    greeting = wire.decode(answer[frames.HEADER.size :])
    assert (dict(greeting.places.drives), greeting.places.locks) == ({}, "")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.binary(min_size=64, max_size=64)))
def test_whoever_shows_anything_else_hears_nothing(node, shown):
    assert knock(node, shown) == b""


def test_a_token_that_is_wrong_in_one_digit_is_wrong(node):
    token = tcp.read(node.token_file).token
    for wrong in (
        token[:-1],
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        token.upper() + "A",
        secrets.token_hex(32),
    ):
        if wrong != token:
            assert knock(node, wrong.encode()) == b""


@pytest.mark.parametrize("name", ["control.stop", "control.list", "describe", "mounted", "no such call"])
def test_what_is_the_operators_and_what_takes_a_descriptor_is_not_there(node, name):
    with tcp.dial(node.token_file) as connection:
        frames.receive(connection)
        frames.send(connection, wire.encode(Request(name, ())))
        assert frames.receive(connection) is None
    assert len(node.host().cim.instances("MSFT_Disk")) == 1


def test_silent_knockers_do_not_fill_the_node(node):
    door = tcp.read(node.token_file)
    silent = [socket.create_connection((door.host, door.port)) for _ in range(MOST_THROUGH_ENTRANCE + 10)]
    refused = [connection for connection in silent if closes(connection)]
    assert len(refused) >= 10
    for connection in silent:
        connection.close()
    for thread in threading.enumerate():
        if thread.name == "connection":
            thread.join()
    assert len(node.host().cim.instances("MSFT_Disk")) == 1


def closes(connection):
    """Whether the other end says something or hangs up at once."""
    connection.settimeout(0.2)
    try:
        return connection.recv(1) is not None
    except TimeoutError:
        return False
