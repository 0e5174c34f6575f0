"""Calls are read from a trail once each, whatever else is in it."""

import json
from datetime import UTC, datetime

import pytest

from csiproxy.audit import files
from csiproxy.audit.calls import Call, calls_of, time_of

TIME = "2026-01-31T12:00:00.000001Z"


def test_a_beginning_is_no_call_of_its_own_once_its_end_is_there(tmp_path):
    lines = [
        {"time": TIME, "event": "start"},
        {"time": TIME, "id": "a-1", "phase": "begin", "rpc": "/v1.Disk/Rescan"},
        {"time": TIME, "id": "a-2", "phase": "begin", "rpc": "/v1.Disk/PartitionDisk"},
        {"time": TIME, "id": "a-1", "rpc": "/v1.Disk/Rescan", "outcome": "OK"},
        {"time": "yesterday", "id": "a-3", "rpc": "/v1.Disk/Rescan", "outcome": "OK"},
    ]
    path = tmp_path / "audit"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "no json\n")
    found = list(calls_of(files.all_files(str(path))))
    assert [(call.name, call.outcome) for call in found] == [
        ("Rescan", "OK"),
        ("PartitionDisk", "UNFINISHED"),
    ]


@pytest.mark.parametrize(
    ("rpc", "reads"),
    [
        ("/v1.Filesystem/PathExists", True),
        ("/v1.Volume/GetVolumeStats", True),
        ("/v1beta1.Disk/DiskStats", True),
        ("/v1.Volume/IsVolumeFormatted", True),
        ("/v1.Volume/FormatVolume", False),
        ("/v1.Disk/SetDiskState", False),
        ("/v1.Filesystem/Rmdir", False),
    ],
)
def test_what_only_asks_is_told_from_what_changes(rpc, reads):
    assert Call({"rpc": rpc}).reads is reads


def test_a_caller_is_told_by_all_that_is_known():
    windows = {"pid": 7, "uid": None, "account": r"NODE\plugin", "image": r"C:\driver.exe"}
    assert Call({"caller": windows}).caller == r"pid 7 C:\driver.exe NODE\plugin"
    assert Call({"caller": {"pid": 7, "uid": 0}}).caller == "pid 7 uid 0"
    assert Call({"caller": None}).caller == "?"


def test_times_have_a_zone():
    assert time_of(TIME) == datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="has no zone"):
        time_of("2026-01-31T12:00:00")


def test_a_call_tells_its_line_and_whether_it_was_refused():
    call = Call({"time": TIME, "seq": 9, "decision": "refused", "arguments": {"disk_number": 1}})
    assert (call.seq, call.refused, call.subjects.disks) == (9, True, {"1"})
    assert Call({}).seq == 0
