"""csi-proxy audit correlate lists the calls that no PersistentVolume asked for."""

import json

from tests.audit.kubernetes_log import lines, pod, volume


def test_calls_that_nobody_asked_for_are_listed_with_the_reason(trail, run, tmp_path):
    log = tmp_path / "k8s"
    log.write_text("\n".join(lines(pod("a", "u-1", "data"), volume("pvc-c-1", "data"))))
    code, shown = run("correlate", trail, "--kubernetes-log", log)
    assert code == 1
    assert "unasked  2026-01-31 12:00:00  v1.Disk/PartitionDisk" in shown
    assert "disk 1 belongs to no PersistentVolume that was used" in shown
    assert "MountVolume" not in shown
    assert "1 of 3 calls were not asked for by a PersistentVolume; 1 were, 1 are about the node" in shown


def test_programs_get_whole_records_and_all_where_that_is_asked_for(trail, run, tmp_path):
    log = tmp_path / "k8s"
    log.write_text("\n".join(lines(pod("a", "u-1", "data"), volume("pvc-c-1", "data"))))
    _, shown = run("correlate", trail, "--kubernetes-log", log, "--all", "-o", "json")
    document = json.loads(shown)
    assert document["counts"] == {"asked": 1, "node": 1, "unasked": 1, "unjudged": 0}
    assert [call["verdict"] for call in document["calls"]] == ["unasked", "asked", "node"]
    assert document["calls"][1]["why"] == "pod shop/a, PersistentVolume pvc-c-1"
    assert document["calls"][1]["record"]["rpc"] == "/v1.Volume/MountVolume"


def test_a_trail_that_was_asked_for_ends_with_0(trail, run, tmp_path):
    log = tmp_path / "k8s"
    log.write_text("\n".join(lines(pod("a", "u-1", "data", 86400), volume("pvc-c-1", "data", seconds=86400))))
    code, shown = run("correlate", trail, "--kubernetes-log", log, "--before", "30s", "--after", "1m")
    assert code == 0
    assert "3 are outside of the 2 events" in shown


def test_a_file_that_is_no_kubernetes_log_is_told(trail, run):
    code, shown = run("correlate", trail, "--kubernetes-log", trail)
    assert (code, "there is no audit.k8s.io Event in" in shown) == (1, True)


def test_a_log_without_objects_is_told(trail, run, tmp_path):
    from tests.audit.kubernetes_log import event

    log = tmp_path / "k8s"
    log.write_text("\n".join(lines(event("create", "persistentvolumes", "pvc-c-1"))))
    _, shown = run("correlate", trail, "--kubernetes-log", log)
    assert "note: the log has no objects (audit level Metadata)" in shown


def test_a_wrong_span_is_a_wrong_command_line(trail, run):
    code, shown = run("correlate", trail, "--kubernetes-log", trail, "--after", "long")
    assert (code, "'long' is no span of time" in shown) == (2, True)
