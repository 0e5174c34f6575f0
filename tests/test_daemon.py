"""csi-proxy serve as a process: it starts, shares a node, drains, and says what is wrong."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest

from csiproxy import auditing
from csiproxy.api.filesystem import v1_pb2 as filesystem
from csiproxy.audit import head
from csiproxy.audit.verification import verify
from csiproxy.emulator.control import Control
from csiproxy.errors import Code
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError

HEALTH = "/grpc.health.v1.Health/Check"
PODS = r"C:\var\lib\kubelet\pods"


@pytest.fixture
def node() -> Iterator[Path]:
    """A directory for a node, short enough for sockets; the node that was started there is stopped."""
    with tempfile.TemporaryDirectory(prefix="n") as directory:
        path = Path(directory) / "node"
        yield path
        if (path / "node.sock").exists():
            with Control(str(path)) as control:
                control.stop()


class Daemon:
    """A serve process that said it is ready."""

    def __init__(self, node: Path, *flags: str) -> None:
        reading, writing = os.pipe()
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "csiproxy",
                "serve",
                "--host",
                f"emulator:{node}",
                "--ready-fd",
                str(writing),
                *flags,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[writing],
        )
        os.close(writing)
        with os.fdopen(reading) as ready:
            self.announced = ready.read()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@contextmanager
def running(node: Path, *flags: str) -> Iterator[Daemon]:
    daemon = Daemon(node, *flags)
    try:
        assert daemon.announced == "READY\n", daemon.process.communicate()
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.communicate()


def call(directory: Path, endpoint: str, method: str, message: bytes = b"", timeout: float = 10) -> bytes:
    with Channel(lambda: unix.connect(str(directory / f"{endpoint}.sock"))) as channel:
        return channel.call(method, message, timeout=timeout)


def refused(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "csiproxy", "serve", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_it_says_that_it_is_ready_and_then_answers_on_every_endpoint(node):
    with running(node) as daemon:
        assert daemon.line() == f"ready: 25 endpoints in {node}/endpoints\n"
        sockets = sorted((node / "endpoints").glob("*.sock"))
        assert len(sockets) == 25
        for path in sockets:
            assert call(path.parent, path.stem, HEALTH) == b"\x08\x01"
            assert path.stat().st_mode & 0o777 == 0o600
        assert (node / "endpoints").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_it_takes_its_sockets_along(node, number):
    with running(node) as daemon:
        code, errors = daemon.stop(number)
        assert code == 0
        assert [json.loads(line)["event"] for line in errors.splitlines()][-2:] == ["stopping", "stopped"]
        assert list((node / "endpoints").glob("*.sock")) == []


def test_a_call_that_runs_is_finished_before_it_ends(node):
    with running(node) as daemon:
        with Control(str(node)) as control:
            from csiproxy.emulator.faults import Action, Fault

            control.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.SLOW, seconds=0.5))
        outcome: list[bytes] = []
        rescan = threading.Thread(
            target=lambda: outcome.append(call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan"))
        )
        rescan.start()
        while True:  # until the call is there: the fault has been taken
            with Control(str(node)) as control:
                if not control.faults():
                    break
        code, _ = daemon.stop()
        rescan.join()
        assert (code, outcome) == (0, [b""])


def test_a_foreign_grpc_client_calls_it(node):
    with running(node):
        with grpc.insecure_channel(f"unix:{node}/endpoints/csi-proxy-filesystem-v1.sock") as channel:
            exists = channel.unary_unary(
                "/v1.Filesystem/PathExists",
                request_serializer=filesystem.PathExistsRequest.SerializeToString,
                response_deserializer=filesystem.PathExistsResponse.FromString,
            )
            assert exists(filesystem.PathExistsRequest(path=PODS)).exists
            with pytest.raises(grpc.RpcError) as caught:
                exists(filesystem.PathExistsRequest(path="D:\\elsewhere"))
            assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_two_daemons_share_a_node_and_each_leaves_the_others_endpoints_alone(node):
    with running(node, "--serve", "disk/*") as first:
        with running(node) as second:
            assert "ready: 20 endpoints" in second.line()
            assert call(node / "endpoints", "csi-proxy-disk-v1", HEALTH) == b"\x08\x01"
            assert second.stop()[0] == 0
        # The first one's are still there, and only those.
        assert len(list((node / "endpoints").glob("*.sock"))) == 5
        assert call(node / "endpoints", "csi-proxy-disk-v1", HEALTH) == b"\x08\x01"
        assert first.stop()[0] == 0


def test_two_daemons_of_different_configuration_run_side_by_side(node, tmp_path):
    other = node.parent / "other"
    with running(node), running(node, "--endpoints", str(other), "--kubelet-path", r"C:\var"):
        request = filesystem.PathExistsRequest(path=r"C:\var\lib").SerializeToString()
        assert call(other, "csi-proxy-filesystem-v1", "/v1.Filesystem/PathExists", request) == b"\x08\x01"
        with pytest.raises(RpcError) as caught:
            call(node / "endpoints", "csi-proxy-filesystem-v1", "/v1.Filesystem/PathExists", request)
        assert caught.value.code is Code.PERMISSION_DENIED


def test_nothing_left_to_serve_is_a_failure_that_says_so(node):
    with running(node):
        done = refused("--host", f"emulator:{node}")
        assert done.returncode == 1
        assert "another process already serves every endpoint" in done.stderr


def test_a_socket_of_a_dead_process_is_replaced(node):
    with running(node) as daemon:
        daemon.process.kill()
        daemon.process.wait()
        assert len(list((node / "endpoints").glob("*.sock"))) == 25
        with running(node) as successor:
            assert "ready: 25 endpoints" in successor.line()


def test_garbage_closes_its_connection_and_nothing_else(node):
    with running(node):
        path = str(node / "endpoints" / "csi-proxy-disk-v1.sock")
        for garbage in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"\0" * 200,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64,
        ):
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(10)
                peer.connect(path)
                peer.sendall(garbage)
                while peer.recv(4096):
                    pass
        assert call(node / "endpoints", "csi-proxy-disk-v1", HEALTH) == b"\x08\x01"


def test_the_audit_trail_names_the_caller(node, tmp_path):
    log = tmp_path / "audit.jsonl"
    with running(node, "--audit-log", str(log)):
        call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan")
    records = [json.loads(line) for line in log.read_text().splitlines()]
    (record,) = [record for record in records if "rpc" in record]
    assert record["caller"] == {"pid": os.getpid(), "uid": os.getuid()}
    assert (record["rpc"], record["outcome"]) == ("/v1.Disk/Rescan", "OK")
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_audit_trail_that_cannot_be_written_stops_no_call(node):
    with running(node, "--audit-log", "/dev/full") as daemon:
        assert call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan") == b""
        code, errors = daemon.stop()
        assert code == 0
        assert "audit: a record could not be written (No space left on device); records are held" in errors
        assert "30 audit records are in this log instead" in errors
        assert '"rpc":"/v1.Disk/Rescan"' in errors


def test_the_trail_tells_the_life_of_the_service(node, tmp_path):
    log = tmp_path / "audit.jsonl"
    with running(node, "--serve", "disk/v1"):
        with running(node, "--serve", "disk/v1,volume/v1", "--audit-log", str(log)) as daemon:
            assert daemon.stop()[0] == 0
    events = [json.loads(line) for line in log.read_text().splitlines()]
    names = [event["event"] for event in events]
    assert names[:3] == ["file", "start", "privileges-given-up"]
    assert names[3:] == ["endpoint-served", "endpoint-skipped", "stopping", "stopped", "checkpoint"]
    start = events[1]
    assert start["configuration"]["serve"] == ["disk/v1", "volume/v1"]
    assert len(start["configuration_sha256"]) == 64
    assert (events[3]["endpoint"], events[4]["endpoint"]) == ("csi-proxy-volume-v1", "csi-proxy-disk-v1")


def test_a_call_that_cannot_be_recorded_does_not_run_when_records_are_required(node):
    with running(node, "--audit-log", "/dev/full", "--audit", "required"):
        with pytest.raises(RpcError) as caught:
            call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan")
        assert caught.value.code is Code.UNAVAILABLE
        assert "no call runs without a record" in caught.value.message
        assert call(node / "endpoints", "csi-proxy-disk-v1", HEALTH) == b"\x08\x01"


def test_a_required_record_is_there_before_the_call_runs(node, tmp_path):
    log = tmp_path / "audit.jsonl"
    with running(node, "--audit-log", str(log), "--audit", "required"):
        call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan")
    begin, end = [r for r in map(json.loads, log.read_text().splitlines()) if "rpc" in r]
    assert (begin["phase"], begin["id"]) == ("begin", end["id"])
    assert (end["outcome"], end["decision"]) == ("OK", "allowed")
    assert end["steps"] == [["MSFT_StorageSetting.UpdateHostStorageCache", "0"]]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_a_proxy_gives_up_the_way_to_more_rights_and_the_node_does_not(node):
    def status(process: int) -> str:
        return Path(f"/proc/{process}/status").read_text()

    with running(node) as daemon, Control(str(node)) as control:
        assert "NoNewPrivs:\t1" in status(daemon.process.pid)
        assert "NoNewPrivs:\t0" in status(control.process)
    with running(node, "--drop-privileges=false") as daemon:
        assert "NoNewPrivs:\t0" in status(daemon.process.pid)


def test_a_second_process_does_not_write_into_the_same_trail(node, tmp_path):
    log = str(tmp_path / "audit.jsonl")
    with running(node, "--audit-log", log):
        done = refused("--host", f"emulator:{node}", "--audit-log", log)
    assert done.returncode == 2
    assert "is written by another process" in done.stderr


def test_killed_services_leave_a_trail_without_findings(node, tmp_path):
    log = tmp_path / "audit.jsonl"
    for _ in range(3):
        with running(node, "--audit-log", str(log)) as daemon:
            call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan")
            daemon.process.kill()
            daemon.process.wait()
    key = auditing.read_key(f"{log}.key", create=False)
    end = head.read(Path(f"{log}.head").read_bytes())
    report = verify(str(log), {key.id: key.secret}, lambda: end)
    assert report.findings == []
    assert len([line for line in log.read_text().splitlines() if "Rescan" in line]) == 3


def test_records_are_copied_to_other_logs(node, tmp_path):
    """Nobody listens there as a rule: what matters is that this is told and holds nothing up."""
    log = tmp_path / "audit.jsonl"
    flags = ("--audit-log", str(log), "--audit-copy", "journald", "--audit-copy", "syslog")
    with running(node, *flags) as daemon:
        call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/Rescan")
        assert daemon.stop()[0] == 0
    configured = json.loads(log.read_text().splitlines()[1])["configuration"]["audit"]["copies"]
    assert configured == ["journald", "syslog"]


@pytest.mark.parametrize(
    ("flags", "hint"),
    [
        (["--serve", "disk/v9"], "disk/v9"),
        (["--no-serve", "*"], "no API version is left"),
        (["--audit-log", "/nonexistent/audit"], "--audit-log"),
        (["--endpoints", "/proc/nothing"], "--endpoints"),
        (["--working-dir", r"C:\a\..\b"], "cannot be a name"),
    ],
)
def test_a_wrong_configuration_ends_with_2_and_says_which(node, flags, hint):
    done = refused("--host", f"emulator:{node}", *flags)
    assert (done.returncode, hint in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def test_endpoints_where_others_may_write_are_refused(node):
    node.mkdir()
    (node / "open").mkdir()
    (node / "open").chmod(0o777)
    done = refused("--host", f"emulator:{node}", "--endpoints", str(node / "open"))
    assert done.returncode == 2
    assert "could pose as csi-proxy" in done.stderr


HEAVY = (
    "asyncio",
    "click",
    "email",
    "google.protobuf",
    "hashlib",
    "logging",
    "rich",
    "shutil",
    "sqlite3",
    "ssl",
    "subprocess",
    "watchdog",
    "yaml",
)


def test_serving_imports_nothing_that_serving_does_not_need(node):
    """Asked of a process that really serves, after a health check."""
    program = f"""
import os, sys, threading
from csiproxy.cli import main
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
reading, writing = os.pipe()
sys.argv = ["csi-proxy", "serve", "--host", "emulator:{node}", "--ready-fd", str(writing)]
def ask():
    os.read(reading, 6)
    with Channel(lambda: unix.connect("{node}/endpoints/csi-proxy-disk-v1.sock")) as channel:
        assert channel.call("{HEALTH}", b"", timeout=10) == b"\\x08\\x01"
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print("loaded:", loaded, flush=True)
    os.kill(os.getpid(), 15)
threading.Thread(target=ask).start()
sys.exit(main())
"""
    # A node runs already: starting one is a proxy's only reason to load subprocess.
    with running(node, "--endpoints", str(node.parent / "first")):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stdout


def test_metrics_are_served_when_they_are_asked_for(node):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running(node, "-metrics-bind-address", f"127.0.0.1:{port}"):
        path = filesystem.PathExistsRequest(path=PODS).SerializeToString()
        call(node / "endpoints", "csi-proxy-filesystem-v1", "/v1.Filesystem/PathExists", path)
        call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/ListDiskIDs")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            page = answer.read().decode()
        done = refused(
            "--host",
            f"emulator:{node}",
            "--endpoints",
            f"{node}/two",
            f"-metrics-bind-address=127.0.0.1:{port}",
        )
    assert 'grpc_server_handling_seconds_bucket{grpc_method="PathExists"' in page
    assert 'csi_proxy_host_step_seconds_count{class="MSFT_Disk",code="0",method="query"}' in page
    assert done.returncode == 2
    assert "name an address that is free" in done.stderr


def test_the_log_goes_where_go_flags_say(node):
    log = node.parent / "log"
    with running(node, f"-log_file={log}", "-logtostderr=false", "-v=5") as daemon:
        call(node / "endpoints", "csi-proxy-disk-v1", "/v1.Disk/ListDiskIDs")
        assert daemon.stop() == (0, "")
    warning, *records = log.read_text().splitlines()
    assert "without effect here: -v" in warning
    rpcs = [record["rpc"] for record in map(json.loads, records) if "rpc" in record]
    assert rpcs == ["/v1.Disk/ListDiskIDs"]
    done = refused("--host", f"emulator:{node}", f"-log_file={node}/missing/log", "-logtostderr=false")
    assert (done.returncode, "cannot be opened" in done.stderr) == (2, True)
