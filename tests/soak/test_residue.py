"""What processes and nodes hold is counted as it is."""

import os
import socket
import subprocess
import sys
import threading

import pytest
from tests.emulator.nodes import NodeDirectory
from tests.soak import residue

LEAKS = {
    "descriptor": "import os; os.open('/dev/null', os.O_RDONLY)",
    "socket": "import socket; kept = socket.socket()",
    "thread": "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "child": "import subprocess; kept = subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL)",
    "zombie": "import os\nif os.fork() == 0: os._exit(0)",
    "memory": "kept = bytearray(b'x' * (8 << 20))",
}
PROGRAM = """
import sys
for line in sys.stdin:
    exec(eval(line))
    print(flush=True)
"""


@pytest.fixture
def process():
    """A process that does as it is told."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:

        def do(text: str) -> int:
            started.stdin.write(f"{text!r}\n")
            started.stdin.flush()
            assert started.stdout.readline() == "\n"
            return started.pid

        yield do
        for child in residue._children(started.pid):
            if child.startswith("sleep"):
                do("kept.kill(); kept.wait()")
        started.stdin.close()


def test_each_kind_of_leak_shows(process):
    before = residue.footprint(process("import socket, subprocess, threading, os"))
    process(LEAKS["descriptor"])
    now = residue.footprint(process(LEAKS["socket"]))
    assert (now.others - before.others, now.sockets - before.sockets) == ({"/dev/null": 1}, 1)
    before = now
    now = residue.footprint(process(LEAKS["thread"]))
    assert (now.threads - before.threads, now.descriptors) == (1, before.descriptors)
    now = residue.footprint(process(LEAKS["child"]))
    assert now.children == ("sleep 60",)
    pid = process("kept.kill(); kept.wait()")
    assert residue.footprint(pid).children == ()
    pid = process(LEAKS["zombie"])
    [child] = residue.footprint(pid).children
    assert child.startswith("a zombie") or sys.executable in child
    process("os.wait()")
    before = residue.footprint(pid)
    now = residue.footprint(process(LEAKS["memory"]))
    assert 8 << 20 <= now.memory - before.memory < 9 << 20
    assert residue.resident(pid) > now.memory


def test_pages_of_a_file_are_no_memory_of_a_process_whoever_else_has_mapped_it(process, tmp_path):
    (tmp_path / "library").write_bytes(bytes(8 << 20))
    pid = process("import mmap; kept = []")
    before = residue.memory(pid)
    process(
        f"file = open({str(tmp_path / 'library')!r}, 'rb')\n"
        "kept.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))\n"
        "assert sum(kept[0][at] for at in range(0, 8 << 20, 4096)) == 0"
    )
    assert residue.memory(pid) - before < 1 << 20
    assert residue.resident(pid) - before > 8 << 20


def test_connections_of_a_port_are_counted():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert residue.connections(port) == 0
        with socket.create_connection(("127.0.0.1", port)):
            assert residue.connections(port) == 1


def test_mounts_and_loop_devices_elsewhere_are_none_of_ours(tmp_path):
    assert residue.mounts(tmp_path) == []
    assert residue.loop_devices(tmp_path) == []
    assert len(residue.mounts("/proc")) > 0


def test_a_process_that_names_a_directory_is_found(tmp_path):
    command = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", str(tmp_path / "x")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stranger:
        assert stranger.stdout.readline() == b"\n"
        [found] = residue.strangers(tmp_path, {os.getpid()})
        assert found.startswith(sys.executable)
        assert residue.strangers(tmp_path, {stranger.pid}) == []
        stranger.stdin.close()


def test_rows_and_locks_of_a_node_are_counted_while_it_runs(directory):
    node = NodeDirectory(str(directory / "node"))
    host = node.connect()
    try:
        assert residue.rows(node.path) == residue.Rows(links=0, changes=0, disks=1, offline=0)
        with host.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
            host.win32.set_link(pods, "link", r"C:\var\lib\kubelet\pods\one", replace=False)
        assert residue.rows(node.path).links == 1
        with host.win32.mutex("x", 1.0):
            assert len(residue.locks(node.path)) == 1
        assert residue.locks(node.path) == []
        assert "var/lib/kubelet/pods/link" in residue.tree(directory / "node" / "c")
    finally:
        node.stop()


def test_threads_of_this_process_are_counted():
    before = residue.footprint(os.getpid())
    event = threading.Event()
    thread = threading.Thread(target=event.wait)
    thread.start()
    assert residue.footprint(os.getpid()).threads == before.threads + 1
    event.set()
    thread.join()
