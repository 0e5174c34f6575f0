import os
import subprocess
import sys
import threading

import pytest
from tests.emulator.nodes import NodeDirectory, command, data_volume
from tests.emulator.peer import Peer

from csiproxy.emulator import sockets
from csiproxy.emulator.connect import connect, default_command
from csiproxy.errors import HostError, HostUnreachable
from csiproxy.host.win32 import Entry, EntryKind


def test_a_node_is_started_when_none_runs_and_shared_when_one_does(node):
    first, second = node.connect(), node.connect()
    with node.control() as control:
        process = control.process
    with first.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
        first.win32.create_directory(pods, "a directory")
        first.win32.set_link(pods, "link", r"C:\var\lib\kubelet\pods\one", replace=False)
    with second.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
        assert second.win32.entries(pods) == [
            Entry("a directory", EntryKind.DIRECTORY),
            Entry("link", EntryKind.SYMBOLIC_LINK, r"C:\var\lib\kubelet\pods\one"),
        ]
    with node.control() as control:
        assert control.process == process


def test_a_lock_that_a_dead_proxy_held_leaves_no_file(node):
    node.connect()
    abandoned = os.path.join(node.path, "locks", "0" * 32)
    with open(abandoned, "w"):
        pass
    node.connect()
    assert not os.path.exists(abandoned)


STARTER = """
import sys
from csiproxy.emulator.connect import connect
from csiproxy.emulator.control import Control
from tests.emulator.nodes import NodeDirectory, command
host = connect(sys.argv[1], command=command(sys.argv[1]))
assert len(host.cim.instances("MSFT_Disk")) == 1
with Control(sys.argv[1]) as control:
    print(control.process)
"""


def python(program, *arguments):
    """A process that can import what this one can."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_starters_at_once_get_one_node(node):
    starters = [python(STARTER, node.path) for _ in range(3)]
    said = [starter.communicate() for starter in starters]
    assert {errors for _, errors in said} == {""}
    assert len({output for output, _ in said}) == 1


def test_no_node_is_started_when_none_is_wanted(tmp_path):
    with pytest.raises(HostUnreachable, match="no emulated node answers"):
        connect(str(tmp_path / "node"), start=False)
    assert os.listdir(tmp_path) == []


def test_a_node_that_cannot_start_says_why(tmp_path):
    (tmp_path / "state.db").write_text("somebody's notes" * 1000)
    with pytest.raises(HostUnreachable, match=r"ended at its start: .*state\.db"):
        connect(str(tmp_path), command=command(str(tmp_path)))
    with pytest.raises(HostUnreachable, match="wrote nothing"):
        connect(str(tmp_path), command=["false"])
    with pytest.raises(HostUnreachable, match="no node can be started"):
        connect(str(tmp_path), command=["/no/such/program"])


def test_the_command_line_runs_a_node_by_default():
    assert default_command("/node")[1:] == ["-m", "csiproxy", "emulator", "run", "--state", "/node"]


def test_everything_is_there_after_the_node_was_killed(node, tmp_path):
    host = node.connect()
    with node.control() as control:
        assert control.attach(str(tmp_path / "disk.img"), create=64 << 20) == 1
    volume = data_volume(host, 1)
    with host.win32.open_root(r"C:\var\lib\kubelet\pods") as pods:
        host.win32.create_directory(pods, "mnt")
        host.win32.set_mount_point(pods, "mnt", volume)
        host.win32.set_link(pods, "link", r"\\server\share", replace=False)
        known = host.win32.entries(pods)
        node.kill()

        with pytest.raises(HostUnreachable):
            host.cim.instances("MSFT_Disk")
        with pytest.raises(HostUnreachable):
            host.win32.entries(pods)
        # What leads nowhere else needs no node.
        host.win32.create_directory(pods, "meanwhile")
        host.win32.remove(pods, "meanwhile", EntryKind.DIRECTORY)
        workload = "import sys; open(sys.argv[1], 'w').write('still here')"
        data = os.path.join(node.path, "c", "var", "lib", "kubelet", "pods", "mnt", "data")
        subprocess.run([sys.executable, "-c", workload, data], check=True)

        node.connect()
        assert host.win32.entries(pods) == known
        assert host.win32.mount_points(volume) == [r"C:\var\lib\kubelet\pods\mnt"]
        with host.win32.open_mounted(pods, "mnt") as mounted:
            assert host.win32.entries(mounted) == [Entry("data", EntryKind.FILE)]
            assert host.win32.final_path(mounted) == volume.removesuffix("\\")
        host.win32.delete_mount_point(pods, "mnt", volume)
        assert host.win32.entry(pods, "mnt").kind is EntryKind.DIRECTORY


DOOMED_PROXY = """
import sys
from csiproxy.emulator.connect import connect
host = connect(sys.argv[1], start=False)
with host.win32.mutex("disk 1", 10):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_killed_proxy_leaves_nothing_locked(node):
    host = node.connect()
    proxy = python(DOOMED_PROXY, node.path)
    assert proxy.stdout.readline() == "held\n"
    with pytest.raises(HostError) as timeout, host.win32.mutex("disk 1", 0):
        pass
    assert timeout.value.windows_code == 258
    proxy.kill()
    proxy.communicate()
    with host.win32.mutex("disk 1", 10):
        assert len(host.cim.instances("MSFT_Disk")) == 1


LIGHT = """
import sys
from csiproxy.emulator.connect import connect
host = connect(sys.argv[1], start=False)
host.cim.instances("MSFT_Disk")
with host.win32.open_root("C:\\\\") as root:
    host.win32.entries(root)
print([name for name in ("sqlite3", "asyncio", "subprocess", "google") if name in sys.modules])
"""


def test_a_proxy_of_a_running_node_imports_nothing_heavy(node):
    node.connect()
    assert python(LIGHT, node.path).communicate() == ("[]\n", "")


def test_a_node_in_a_deep_directory_is_reached(tmp_path, request):
    deep = NodeDirectory(os.path.join(os.path.realpath(tmp_path), *["directory-with-a-long-name"] * 8))
    request.addfinalizer(deep.stop)
    assert len(deep.connect().cim.instances("MSFT_Disk")) == 1


def test_connections_are_closed_with_their_host(tmp_path):
    peer = Peer()
    with sockets.listen(str(tmp_path)) as server:
        serving = threading.Thread(target=lambda: peer.serve(server.accept()[0]))
        serving.start()
        host = connect(str(tmp_path), start=False)
        del host
        serving.join(30)
    assert not serving.is_alive()
