"""csi-proxy audit query finds calls by what they are about, who made them, when, and how they ended."""

import json

import pytest
from tests.audit.kubernetes_log import lines, pod, volume

FOUND = {"P": "PartitionDisk", "M": "MountVolume", "E": "PathExists"}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], "PME"),
        (["--disk", "1"], "P"),
        (["--disk", "2"], ""),
        (["--volume", "3D178A9A-1209-432f-91e4-69a5136113d3"], "M"),
        (["--volume", "\\\\?\\Volume{3d178a9a-1209-432f-91e4-69a5136113d3}\\"], "M"),
        (["--path", r"C:\var\lib\kubelet\pods"], "M"),
        (["--path", "/var/lib/kubelet"], "M"),
        (["--path", r"C:\var\lib\kubelet\pod"], ""),
        (["--pod", "U-1"], "M"),
        (["--claim", "pvc-c-1"], "M"),
        (["--claim", "c-1"], "M"),
        (["--caller", "8"], "ME"),
        (["--caller", "driver.EXE"], "M"),
        (["--caller", "node\\driver"], "M"),
        (["--rpc", "v1.volume"], "M"),
        (["--outcome", "ok"], "PM"),
        (["--outcome", "failed"], "E"),
        (["--outcome", "refused"], "E"),
        (["--outcome", "PERMISSION_DENIED"], "E"),
        (["--since", "2026-01-31T12:00:01Z"], "ME"),
        (["--until", "2026-01-31T12:00:00Z"], "P"),
        (["--changes"], "PM"),
        (["--changes", "--caller", "8"], "M"),
    ],
)
def test_calls_are_found(trail, run, conditions, expected):
    code, shown = run("query", trail, *conditions, "-o", "json")
    assert code == 0
    names = [json.loads(line)["rpc"].rpartition("/")[2] for line in shown.splitlines()]
    assert names == [FOUND[letter] for letter in expected]


def test_people_get_a_table(trail, run):
    _, shown = run("query", trail)
    head, first, _, last = shown.splitlines()
    assert head.split() == ["TIME", "RPC", "CALLER", "ABOUT", "OUTCOME"]
    assert first.split()[:3] == ["2026-01-31", "12:00:00", "v1.Disk/PartitionDisk"]
    assert first.split()[-2:] == ["disk_number=1", "OK"]
    assert last.rstrip().endswith("PERMISSION_DENIED (refused: prefix)")


def test_a_claim_is_found_by_its_name_in_kubernetes_log(trail, run, tmp_path):
    log = tmp_path / "k8s"
    log.write_text("\n".join(lines(pod("a", "u-1", "data"), volume("pvc-c-1", "data"))))
    _, shown = run("query", trail, "--claim", "shop/data", "--kubernetes-log", log, "-o", "json")
    assert "MountVolume" in shown
    code, shown = run("query", trail, "--claim", "shop/other", "--kubernetes-log", log)
    assert (code, "does not tell which volume the claim shop/other has" in shown) == (1, True)
    code, shown = run("query", trail, "--claim", "shop/data")
    assert (code, "--kubernetes-log" in shown) == (1, True)


def test_a_wrong_time_is_a_wrong_command_line(trail, run):
    code, shown = run("query", trail, "--since", "yesterday")
    assert (code, "'yesterday' is no time" in shown) == (2, True)


def test_what_a_request_says_does_not_reach_the_terminal_raw(trail, run):
    text = trail.read_bytes().replace(b"PathExists", b"Path\\u001b[2JExists")
    trail.write_bytes(text)
    _, shown = run("query", trail)
    assert "\x1b" not in shown
