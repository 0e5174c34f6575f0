import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

from csiproxy.cli.demo.node import Node

PLUGINS = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"


def test_a_call_shows_its_reply(csi_proxy: CommandLine, node: Node) -> None:
    shown = csi_proxy("call", "disk/v1", "GetDiskStats", '{"disk_number": 1}', "--endpoints", node.endpoints)
    assert shown.code == 0
    assert json.loads(shown.out) == {"total_bytes": 64 << 20}


def test_the_node_may_be_named_instead_of_its_endpoints(csi_proxy: CommandLine, node: Node) -> None:
    shown = csi_proxy("call", "disk/v1", "ListDiskIDs", "--host", f"emulator:{node.directory}", "-o", "json")
    assert json.loads(shown.out)["diskIDs"]["1"]["serial_number"] == "SERIAL-1"
    assert shown.out.count("\n") == 1


@pytest.mark.parametrize("variable", ["CSI_PROXY_ENDPOINTS", "CSI_PROXY_HOST"])
def test_the_environment_may_name_them(
    variable: str, csi_proxy: CommandLine, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = node.endpoints if variable == "CSI_PROXY_ENDPOINTS" else f"emulator:{node.directory}"
    monkeypatch.setenv(variable, value)
    assert csi_proxy("call", "disk/v1", "Rescan").code == 0


def test_an_old_version_is_called_in_its_own_words(csi_proxy: CommandLine, node: Node) -> None:
    shown = csi_proxy("call", "disk/v1beta1", "DiskStats", '{"diskID": "1"}', "--endpoints", node.endpoints)
    assert json.loads(shown.out) == {"diskSize": 64 << 20}


def test_a_failure_is_status_text_and_windows_code(csi_proxy: CommandLine, node: Node) -> None:
    shown = csi_proxy("call", "disk/v1", "PartitionDisk", '{"disk_number": 9}', "--endpoints", node.endpoints)
    assert shown.code == 1
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert lines[0].startswith("csi-proxy: there is no disk 9")
    assert lines[1:3] == ["  status   NOT_FOUND", "  windows  1168 ERROR_NOT_FOUND"]
    assert lines[-1].startswith("  next     ")


def test_a_failure_is_json_for_programs(csi_proxy: CommandLine, node: Node) -> None:
    request = '{"disk_number": 0, "is_online": false}'
    shown = csi_proxy("call", "disk/v1", "SetDiskState", request, "--endpoints", node.endpoints, "-o", "json")
    assert (shown.code, shown.err) == (1, "")
    error = json.loads(shown.out)["error"]
    assert error["status"] == "FAILED_PRECONDITION"
    assert (error["windows_code"], error["windows_name"]) == (50, "ERROR_NOT_SUPPORTED")
    assert "holds the system" in error["message"]


def test_csi_proxy_service_answers_too(csi_proxy: CommandLine, node: Node) -> None:
    shown = csi_proxy("call", "csi-proxy/v1alpha1", "Rescan", "--endpoints", node.endpoints)
    assert shown.code == 0
    assert json.loads(shown.out) == {"error_code": 0}


def test_an_error_code_of_csi_proxy_service_is_a_failure(csi_proxy: CommandLine, node: Node) -> None:
    request = json.dumps({"path": PLUGINS, "context": "PLUGIN"})
    call = ("call", "csi-proxy/v1beta1", "Mkdir", request, "--endpoints", node.endpoints)
    shown = csi_proxy(*call)
    assert shown.code == 1
    assert "error_code 183 ERROR_ALREADY_EXISTS" in shown.err
    document = json.loads(csi_proxy(*call, "-o", "json").out)
    assert document["reply"] == {"error_code": 183}
    assert document["error"]["windows_name"] == "ERROR_ALREADY_EXISTS"


def test_the_request_may_come_from_standard_input(node: Node) -> None:
    command = [sys.executable, "-m", "csiproxy", "call", "disk/v1", "GetDiskStats", "-"]
    done = subprocess.run(
        [*command, "--endpoints", node.endpoints],
        input='{"disk_number": 1}\n',
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    assert json.loads(done.stdout) == {"total_bytes": 64 << 20}


def test_nothing_named_lists_the_versions_and_then_their_rpcs(csi_proxy: CommandLine) -> None:
    assert "disk/v1beta1" in csi_proxy("call").out.splitlines()
    lines = csi_proxy("call", "disk/v1").out.splitlines()
    assert "SetDiskState: disk_number (uint32), is_online (true or false)" in lines
    assert json.loads(csi_proxy("call", "disk/v1", "-o", "json").out)["GetDiskStats"] == ["disk_number"]


@pytest.mark.parametrize(
    ("arguments", "hint", "listed"),
    [
        (("disk/v3", "Rescan"), "did you mean disk/v1", "volume/v2alpha1"),
        (("nothing",), "there is no API version 'nothing'", "csi-proxy/v1beta1"),
        (("disk/v1", "ListDiskIds"), "did you mean ListDiskIDs?", "PartitionDisk"),
        (("volume/v1", "GetClosestVolumeIDFromTargetPath"), "has no RPC", "GetVolumeStats"),
    ],
)
def test_an_unknown_name_lists_what_exists(
    arguments: tuple[str, ...], hint: str, listed: str, csi_proxy: CommandLine
) -> None:
    shown = csi_proxy("call", *arguments, "--endpoints", "/nowhere")
    assert shown.code == 1
    assert hint in shown.err
    assert listed in shown.err


def test_a_wrong_request_is_refused_before_anything_is_called(csi_proxy: CommandLine) -> None:
    request = '{"disk_id": 1}'
    shown = csi_proxy("call", "disk/v1", "PartitionDisk", request, "--endpoints", "/nowhere", "-o", "json")
    assert shown.code == 1
    assert json.loads(shown.out)["error"]["status"] == "INVALID_ARGUMENT"
    assert "it has: disk_number (uint32)" in shown.out


def test_a_call_to_nowhere_in_particular_asks_where(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("call", "disk/v1", "Rescan")
    assert shown.code == 2
    assert "where is the proxy?" in shown.err


def test_a_directory_without_a_proxy_says_how_to_start_one(csi_proxy: CommandLine, tmp_path: Path) -> None:
    missing = csi_proxy("call", "disk/v1", "Rescan", "--endpoints", str(tmp_path / "no"))
    assert (missing.code, "there is no directory" in missing.err) == (1, True)
    empty = csi_proxy("call", "disk/v1", "Rescan", "--endpoints", str(tmp_path))
    assert "start a proxy: csi-proxy serve" in empty.err
    (tmp_path / "csi-proxy-volume-v1.sock").touch()
    other = csi_proxy("call", "disk/v1", "Rescan", "--endpoints", str(tmp_path))
    assert "disk/v1 is not served" in other.err
    assert "there are: volume/v1" in other.err
    (tmp_path / "csi-proxy-disk-v1.sock").touch()
    dead = csi_proxy("call", "disk/v1", "Rescan", "--endpoints", str(tmp_path))
    assert "start the proxy again" in dead.err
    assert "  status   UNAVAILABLE" in dead.err


@pytest.mark.parametrize("seconds", ["0", "-1", "soon"])
def test_a_timeout_is_a_positive_number(seconds: str, csi_proxy: CommandLine) -> None:
    assert csi_proxy("call", "disk/v1", "Rescan", "--timeout", seconds).code == 2


def test_a_call_that_takes_too_long_is_given_up(csi_proxy: CommandLine, node: Node) -> None:
    shown = csi_proxy(
        "call", "disk/v1", "ListDiskIDs", "--endpoints", node.endpoints, "--timeout", "0.0000001"
    )
    assert shown.code == 1
    assert "  status   DEADLINE_EXCEEDED" in shown.err


def test_the_exit_code_reaches_the_shell(node: Node) -> None:
    command = [sys.executable, "-m", "csiproxy", "call", "disk/v1", "PartitionDisk", '{"disk_number": 77}']
    done = subprocess.run(
        command,
        env={**os.environ, "CSI_PROXY_ENDPOINTS": node.endpoints},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Traceback" not in done.stderr
