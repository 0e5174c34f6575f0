"""The proxy as a Windows program: its pipes, its clients, its audit trail and its end."""

import json
from collections.abc import Iterator

import pytest
from tests.emulator.entered import Entered
from tests.wine.serving import node, serving
from tools.wine.prefix import Prefix

pytestmark = pytest.mark.wine

PODS = r"C:\var\lib\kubelet\pods"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entered]:
    with node(tmp_path_factory.mktemp("node")) as found:
        yield found


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
