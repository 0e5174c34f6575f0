import os
import signal
import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.emulator.ground import open_descriptors
from tests.emulator.nodes import command
from tests.emulator.plain_volumes import FIRST

from csiproxy.emulator import frames, sockets, wire
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.node import Node
from csiproxy.emulator.pool import Pool
from csiproxy.emulator.remote import RemoteNamespace
from csiproxy.emulator.wire import Failure, Reply, Request
from csiproxy.errors import CimError, HostError, HostUnreachable, Win32Error
from csiproxy.host.win32 import EntryKind


class MachineWithADefect(Machine):
    def seed(self, seed: str) -> None:
        super().seed(seed + 1)


@pytest.fixture
def directory(tmp_path):
    """The directory of a node that serves in a thread of this process."""
    path = os.path.join(os.path.realpath(tmp_path), "node")
    with MachineWithADefect(path) as machine:
        node = Node(machine)
        thread = threading.Thread(target=node.serve)
        thread.start()
        yield path
        node.stop()
        thread.join()
    assert not os.path.exists(os.path.join(path, "node.sock"))


@pytest.fixture
def pool(directory):
    pool = Pool(lambda: sockets.dial(directory))
    yield pool
    pool.close()


def talk(directory, *messages, descriptors=()):
    """Say things to the node; all that it answers until it closes, or None for a close."""
    with sockets.dial(directory) as connection:
        answers = [wire.decode(frames.receive(connection).message)]
        try:
            for message in messages:
                frames.send(connection, message, descriptors)
                frame = frames.receive(connection)
                answers.append(frame and wire.decode(frame.message))
        except OSError:
            answers.append(None)
        return answers


def call(name, *arguments):
    return wire.encode(Request(name, arguments))


def test_a_node_greets_with_what_a_proxy_needs(directory):
    [greeting] = talk(directory)
    assert greeting.version == wire.VERSION
    assert greeting.process == os.getpid()
    assert greeting.places.drives == {"C": os.path.join(directory, "c")}


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"GET / HTTP/1.1",
        wire.encode(Reply(1)),
        wire.encode("text"),
        call("no such call"),
        call("__class__"),
        call("instances"),
        call("instances", 1, {}),
        call("instances", "MSFT_Disk", {"Number": None}),
        call("invoke", "MSFT_Disk", "Initialize", {"x": 1.5}),
        call("describe", ("name",)),
        call("mount_points", None),
        call("mount_points", FIRST, FIRST),
        call("set_link", "name", r"C:\x", 1),
        call("control.attach", "/x", None, {"lun": True}),
        call("control.attach", "/x", None, {"shell": "x"}),
        call("control.attach", "/x", None, {"identifiers": ("x",)}),
    ],
    ids=range(17),
)
def test_what_is_no_call_closes_its_connection_and_no_other(directory, pool, message):
    pool.call("mount_points", FIRST)
    assert talk(directory, message)[1:] == [None]
    assert pool.call("mount_points", FIRST) == []


def test_a_descriptor_that_no_call_takes_is_closed(directory):
    before = open_descriptors()
    assert talk(directory, call("mount_points", FIRST), descriptors=[0])[1:] == [None]
    for message in (b"garbage", call("describe", ("../x",))):
        talk(directory, message, descriptors=[0])
    # The node's end of a connection closes right after ours.
    for thread in threading.enumerate():
        if thread.name == "connection":
            thread.join()
    assert open_descriptors() == before


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=100), max_size=3), st.booleans())
def test_a_node_survives_whatever_is_sent_to_it(directory, pool, pieces, framed):
    with sockets.dial(directory) as connection:
        frames.receive(connection)
        try:
            for piece in pieces:
                connection.sendall(frames.HEADER.pack(len(piece)) + piece if framed else piece)
        except OSError:
            pass  # it has closed the connection already
    assert pool.call("mount_points", FIRST) == []


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "..", ".", "", "a\0b", "\ud800"])
def test_a_name_that_is_a_path_goes_nowhere(directory, pool, name):
    namespace = RemoteNamespace(pool)
    descriptor = os.open(os.path.join(directory, "c"), os.O_RDONLY)
    calls = [
        lambda: namespace.describe(descriptor, [name]),
        lambda: namespace.mounted(descriptor, name),
        lambda: namespace.remove_link(descriptor, name, EntryKind.OTHER_REPARSE_POINT),
        lambda: namespace.set_link(descriptor, name, r"C:\x", True),
        lambda: namespace.set_mount_point(descriptor, name, FIRST),
        lambda: namespace.delete_mount_point(descriptor, name, FIRST),
    ]
    for one in calls:
        with pytest.raises(Win32Error) as refusal:
            one()
        assert refusal.value.windows_code in (87, 123, 1168)
    os.close(descriptor)


def test_failures_of_both_ports_arrive_with_their_codes(directory, pool):
    with pytest.raises(Win32Error) as failure:
        pool.call("storage_device", "nothing")
    assert failure.value.windows_code == 2
    with pytest.raises(CimError) as failure:
        pool.call("instances", "No_Such_Class", {})
    assert failure.value.hresult == 0x80041010


def test_a_fault_of_the_node_is_an_answer_and_costs_one_call(directory, pool, capfd):
    with pytest.raises(HostError, match=r"the node failed in control\.seed: TypeError"):
        pool.call("control.seed", "x")
    assert "Traceback" in capfd.readouterr().err
    assert len(pool.call("instances", "MSFT_Disk", {})) == 1


def test_an_answer_that_is_too_large_costs_one_call(directory, pool):
    descriptor = os.open(directory, os.O_RDONLY)
    long = [f"{number:0200}" for number in range(300)]
    for name in long:
        os.mkdir(name, dir_fd=descriptor)
    with pytest.raises(HostError, match="too many for the socket"):
        pool.call("describe", tuple(long * 234), descriptor=descriptor)
    os.close(descriptor)
    assert len(pool.call("instances", "MSFT_Disk", {})) == 1


def test_many_threads_share_a_pool(directory, pool):
    results = []

    def work():
        results.extend(pool.call("instances", "MSFT_Disk", {"Number": 0})[0].key for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 100
    assert len(set(results)) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_a_process_of_another_user_is_refused_even_if_it_can_open_the_socket(directory):
    path = os.path.join(directory, "node.sock")
    os.chmod(path, 0o666)
    program = (
        "import os, socket, sys\n"
        "os.setuid(65534)\n"
        "s = socket.socket(socket.AF_UNIX)\n"
        "s.connect('/proc/self/fd/' + sys.argv[1] + '/node.sock')\n"
        "sys.stdout.write(s.recv(1000)[4:].decode())"
    )
    descriptor = os.open(directory, os.O_RDONLY)
    said = subprocess.run(
        [sys.executable, "-c", program, str(descriptor)],
        pass_fds=[descriptor],
        capture_output=True,
        check=True,
    ).stdout
    os.close(descriptor)
    failure = wire.decode(said)
    assert isinstance(failure, Failure)
    assert "own user" in str(failure.error)


def test_sigterm_stops_a_node_cleanly_and_its_directory_is_free(node):
    host = node.connect()
    with node.control() as control:
        process = control.process
        os.kill(process, signal.SIGTERM)
    node.wait_until_gone()
    with pytest.raises(HostUnreachable):
        host.cim.instances("MSFT_Disk")
    assert "node.sock" not in os.listdir(node.path)
    Machine(node.path).close()


def test_a_second_node_on_a_directory_is_refused_by_name(node):
    node.connect()
    second = subprocess.run(command(node.path), capture_output=True, text=True)
    assert second.returncode == 1
    with node.control() as control:
        assert f"(process {control.process})" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_a_call_that_runs_when_the_node_is_told_to_stop_gets_its_answer(directory):
    connection = sockets.dial(directory)
    with connection:
        frames.receive(connection)
        frames.send(connection, call("control.stop"))
        assert wire.decode(frames.receive(connection).message) == Reply(None)
        assert frames.receive(connection) is None


def test_silent_connections_do_not_keep_a_node_from_stopping(directory):
    silent = sockets.dial(directory)
    half = sockets.dial(directory)
    half.sendall(b"\0\0")
    for connection in (silent, half):
        frames.receive(connection)
    talk(directory, call("control.stop"))
    assert frames.receive(silent) is None
    for connection in (silent, half):
        connection.close()
