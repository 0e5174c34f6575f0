"""The proxy as a Windows program: its pipes, its clients, its audit trail and its end."""

import base64
import json
import subprocess

import pytest
from tests.conftest import find_foreign
from tests.emulator.entered import Entered
from tests.wine import go_programs
from tests.wine.serving import serving
from tools.wine.prefix import Prefix

from csiproxy.api import versions
from csiproxy.api.filesystem import v1_pb2 as filesystem

pytestmark = pytest.mark.wine

HEALTH = "/grpc.health.v1.Health/Check"
PODS = r"C:\var\lib\kubelet\pods"


def call(wine: Prefix, contract: str, rpc: str, **fields: object) -> dict:
    ended = wine.run_python(["-m", "csiproxy", "call", contract, rpc, json.dumps(fields), "-o", "json"])
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_every_contract_is_served_on_a_pipe_and_calls_leave_records(wine: Prefix, emulated: Entered) -> None:
    with serving(wine, emulated) as served:
        reply = call(wine, "filesystem/v1", "PathExists", path=PODS)
        assert reply == {"exists": True}
        assert served.stop() == 0
    (record,) = served.records()
    assert record["rpc"] == "/v1.Filesystem/PathExists"
    caller = record["caller"]
    assert caller["image"].lower().endswith("python.exe")
    assert caller["account"].endswith("\\root")
    assert isinstance(caller["session"], int)


def test_a_second_proxy_leaves_the_pipes_to_the_first_and_serves_what_is_left(
    wine: Prefix, emulated: Entered
) -> None:
    with serving(wine, emulated, "--serve", "disk/*") as first:
        with serving(wine, emulated, "--serve", "disk/*,volume/v1") as second:
            assert "SECURITY" not in "".join(second.log)
            assert call(wine, "volume/v1", "ListVolumesOnDisk", disk_number=0)
            assert second.stop() == 0
        assert first.stop() == 0


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Go program that is many clients at once."""
    return str(go_programs.build(tmp_path_factory.mktemp("go"), find_foreign("go"), "crowd"))


def test_fifty_go_clients_at_once_are_answered_and_from_the_second_time_on_none_finds_the_pipe_busy(
    wine: Prefix, emulated: Entered, crowd: str
) -> None:
    path = base64.b64encode(filesystem.PathExistsRequest(path=PODS).SerializeToString()).decode()
    pipe = r"\\.\\pipe\\csi-proxy-filesystem-v1"  # as Go clients of drivers spell it
    with serving(wine, emulated, "--serve", "filesystem/*") as served:
        told = []
        for _ in range(4):
            ended = wine.run(crowd, "50", "2", "/v1.Filesystem/PathExists", path, pipe)
            assert ended.returncode == 0, ended.stderr
            told.append(json.loads(ended.stdout))
        assert served.stop() == 0
    assert [(one["answered"], one["errors"]) for one in told] == [(100, [])] * 4
    assert told[-1]["busy"] == 0
    records = served.records()
    assert len(records) == 400
    assert {record["caller"]["image"].rpartition("\\")[2] for record in records} == {"crowd.exe"}


def test_fifty_go_clients_on_every_pipe_are_answered(wine: Prefix, emulated: Entered, crowd: str) -> None:
    pipes = [rf"\\.\pipe\{contract.endpoint}" for contract in versions.CONTRACTS]
    with serving(wine, emulated) as served:
        ended = wine.run(crowd, "50", "4", HEALTH, "", *pipes)
        told = json.loads(ended.stdout)
        assert (told["answered"], told["errors"], told["busy"]) == (200, [], 0)
        assert served.stop() == 0


def test_the_end_comes_within_a_second_whoever_is_connected(
    wine: Prefix, emulated: Entered, crowd: str
) -> None:
    with serving(wine, emulated, "--serve", "disk/v1", "--grace", "30") as served:
        pipe = r"\\.\pipe\csi-proxy-disk-v1"
        assert wine.run(crowd, "3", "1", HEALTH, "", pipe).returncode == 0
        silent = f"import sys; open(r'{pipe}', 'r+b', buffering=0); print('in', flush=True); sys.stdin.read()"
        client = wine.start(wine.python, "-c", silent, stdin=subprocess.PIPE)
        assert client.stdout.readline().strip() == "in"
        assert served.stop() == 0
        client.communicate()
