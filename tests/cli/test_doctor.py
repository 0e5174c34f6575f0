"""``csi-proxy doctor`` on a running node: lines for people and programs, and an exit code."""

import json

from tests.cli.conftest import CommandLine

from csiproxy.cli.demo.node import Node
from csiproxy.doctor.assumptions import ASSUMPTIONS


def test_a_fit_node_is_a_table_and_exit_code_0(csi_proxy: CommandLine, node: Node) -> None:
    run = csi_proxy("doctor", "--host", f"emulator:{node.directory}")
    assert run.code == 0
    head, *lines = run.out.splitlines()
    assert head.split() == ["STATE", "WHAT", "SEEN", "NEXT"]
    assert len(lines) == 7


def test_what_is_not_well_has_a_next_step_and_exit_code_1(csi_proxy: CommandLine, node: Node) -> None:
    host = f"emulator:{node.directory}"
    run = csi_proxy("doctor", "--host", host, "--kubelet-path", r"C:\none", "-o", "json")
    assert run.code == 1
    failed = [one for one in json.loads(run.out) if one["state"] == "failed"]
    assert [(one["name"], one["seen"]) for one in failed] == [("kubelet path", r"C:\none does not exist")]
    assert failed[0]["next_step"]


def test_every_assumption_is_tried_or_says_why_not(csi_proxy: CommandLine, node: Node) -> None:
    run = csi_proxy("doctor", "--self-test", "--host", f"emulator:{node.directory}", "-o", "json")
    found = json.loads(run.out)
    assert [one["name"] for one in found] == [one.name for one in ASSUMPTIONS]
    assert {one["result"] for one in found} == {"ok", "not tried"}
    assert run.code == 0


def test_a_node_that_cannot_be_reached_is_a_line_that_failed(csi_proxy: CommandLine, tmp_path) -> None:
    (tmp_path / "token").write_text("no entrance")
    run = csi_proxy("doctor", "--host", f"emulator:{tmp_path / 'token'}", "-o", "json")
    assert run.code == 1
    assert [(one["name"], one["state"]) for one in json.loads(run.out)] == [("storage", "failed")]


def test_without_a_node_it_asks_which(csi_proxy: CommandLine) -> None:
    run = csi_proxy("doctor")
    assert run.code == 2
    assert "--host emulator:DIR" in run.err
