"""Every record is one line of JSON that survives hostile texts and failing disks."""

import io
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.audit.test_primary import Fragile
from tests.running import until

from csiproxy.audit.copies import Entry, Level
from csiproxy.audit.plain_file import PlainFile
from csiproxy.audit.primary import Room
from csiproxy.errors import Code
from csiproxy.operations.context import Note
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import LONGEST_TEXT, Beginning, Record, Trail, Unrecorded, encode
from csiproxy.server.host_steps import Step


def record(**changes) -> Record:
    fields = {
        "time": datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC),
        "endpoint": "csi-proxy-disk-v1",
        "rpc": "/v1.Disk/SetDiskState",
        "peer": Peer(pid=41, uid=1000),
        "arguments": {"disk_number": 1},
        "outcome": Code.OK,
        "windows_code": 0,
        "seconds": 0.0123456,
    }
    return Record(**{**fields, **changes})


def test_a_record_holds_who_what_how_and_how_long() -> None:
    assert json.loads(encode(record(notes=(Note("brought-online", {"disk": 1, "by": "policy"}),)))) == {
        "time": "2026-01-31T12:00:00.000001Z",
        "endpoint": "csi-proxy-disk-v1",
        "rpc": "/v1.Disk/SetDiskState",
        "caller": {"pid": 41, "uid": 1000},
        "arguments": {"disk_number": 1},
        "id": "",
        "decision": "allowed",
        "outcome": "OK",
        "windows_code": 0,
        "duration_ms": 12.346,
        "notes": [{"event": "brought-online", "disk": 1, "by": "policy"}],
    }


def test_a_failure_adds_its_text_and_origin_and_a_caller_its_account() -> None:
    failed = record(
        outcome=Code.FAILED_PRECONDITION,
        windows_code=19,
        error="disk 1 is read-only",
        origin="MSFT_Disk.Initialize returned 41002",
        peer=Peer(pid=None, uid=None, account=r"NODE\plugin"),
    )
    line = json.loads(encode(failed))
    assert (line["outcome"], line["windows_code"]) == ("FAILED_PRECONDITION", 19)
    assert (line["error"], line["origin"]) == ("disk 1 is read-only", "MSFT_Disk.Initialize returned 41002")
    assert line["caller"] == {"pid": None, "uid": None, "account": r"NODE\plugin"}


def test_a_windows_caller_is_told_with_program_and_session() -> None:
    line = json.loads(encode(record(peer=Peer(7, None, r"NT AUTHORITY\SYSTEM", r"C:\driver.exe", 0))))
    assert line["caller"] == {
        "pid": 7,
        "uid": None,
        "account": r"NT AUTHORITY\SYSTEM",
        "image": r"C:\driver.exe",
        "session": 0,
    }


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_any_text_stays_inside_its_line(argument: str, rpc: str) -> None:
    line = encode(record(arguments={"path": argument}, rpc=rpc, error=argument))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert all(0x20 <= byte < 0x7F for byte in line[:-1])
    assert json.loads(line)["arguments"] == json.loads(json.dumps({"path": argument}))


def test_a_long_method_name_or_error_is_cut() -> None:
    line = json.loads(encode(record(rpc="/" + "x" * 5000, error="y" * 5000)))
    assert len(line["rpc"]) < LONGEST_TEXT + 40
    assert line["error"] == "y" * LONGEST_TEXT + f"…[+{5000 - LONGEST_TEXT} characters]"


def test_what_the_proxy_decided_and_by_which_rule_is_told() -> None:
    assert json.loads(encode(record()))["decision"] == "allowed"
    failed = json.loads(encode(record(outcome=Code.INTERNAL, origin="MSFT_Disk.Initialize returned 40001")))
    assert (failed["decision"], failed.get("rule")) == ("allowed", None)
    refused = json.loads(encode(record(outcome=Code.FAILED_PRECONDITION, rule="system-disk")))
    assert (refused["decision"], refused["rule"]) == ("refused", "system-disk")
    assert json.loads(encode(record(ran=False)))["decision"] == "refused"


def test_steps_on_the_host_and_the_objects_of_an_answer_are_told() -> None:
    line = json.loads(
        encode(record(steps=(Step("MSFT_Disk.Initialize", "41002"),), answer={"volume_ids": ["V"]}))
    )
    assert line["steps"] == [["MSFT_Disk.Initialize", "41002"]]
    assert line["answer"] == {"volume_ids": ["V"]}


BEGINNING = Beginning("a-1", datetime(2026, 1, 31, tzinfo=UTC), "e", "/v1.Disk/Rescan", Peer(1, 2), {})


def test_events_and_beginnings_are_lines_too() -> None:
    sink = Fragile()
    trail = Trail(sink, io.StringIO())
    trail.event("start", pid=7)
    trail.begin(BEGINNING)
    start, begin = (json.loads(line) for line in sink.lines)
    assert (start["event"], start["pid"]) == ("start", 7)
    assert (begin["id"], begin["phase"]) == ("a-1", "begin")


def test_names_of_calls_differ_within_and_between_processes() -> None:
    trails = [Trail(Fragile(), io.StringIO()) for _ in range(2)]
    assert len({trail.next_id() for trail in trails for _ in range(10)}) == 20


def test_lines_of_many_threads_do_not_mix(tmp_path: Path) -> None:
    path = str(tmp_path / "audit.jsonl")
    trail = Trail(PlainFile(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)), io.StringIO())

    def write() -> None:
        for number in range(50):
            trail.write(record(arguments={"path": "x" * 900, "number": number}))

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(path, "rb") as file:
        assert [json.loads(line)["rpc"] for line in file] == ["/v1.Disk/SetDiskState"] * 300


def test_records_are_held_while_the_sink_fails_and_written_when_it_works_again() -> None:
    sink, complaints = Fragile(), io.StringIO()
    sink.down = True
    trail = Trail(sink, complaints)
    for _ in range(3):
        trail.write(record())
    until(complaints.getvalue)
    sink.down = False
    until(lambda: len(sink.lines) == 3)  # nobody has to call for that
    trail.write(record())
    trail.close()
    assert (trail.lost, len(sink.lines)) == (0, 4)
    assert complaints.getvalue().count("\n") == 1
    assert "No space left on device" in complaints.getvalue()


def test_what_is_lost_is_counted_and_told_in_the_trail() -> None:
    sink = Fragile()
    sink.down = True
    trail = Trail(sink, io.StringIO(), room=Room(lines=1))
    for _ in range(3):
        trail.write(record())
    sink.down = False
    until(lambda: len(sink.lines) == 2)
    trail.close()
    assert trail.lost == 2
    assert json.loads(sink.lines[-1])["event"] == "audit-lost"
    assert json.loads(sink.lines[-1])["lost"] == 2


def test_nobody_to_complain_to_does_not_matter() -> None:
    complaints = io.StringIO()
    complaints.close()
    sink = Fragile()
    sink.down = True
    trail = Trail(sink, complaints)
    trail.write(record())
    trail.close()
    assert trail.lost == 1


def test_a_required_trail_that_fails_lets_nothing_begin() -> None:
    sink = Fragile()
    sink.down = True
    trail = Trail(sink, io.StringIO(), required=True)
    with pytest.raises(Unrecorded, match="make room for it"):
        trail.begin(BEGINNING)
    sink.down = False
    trail.begin(BEGINNING)
    trail.close()
    assert len(sink.lines) == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_survived_and_the_spill_has_the_records() -> None:
    spill = Fragile()
    trail = Trail(PlainFile.open("/dev/full"), io.StringIO(), spill=spill)
    trail.write(record())
    trail.close()
    assert (trail.lost, trail.standing.spilled, len(spill.lines)) == (0, 1, 1)


def test_followers_are_told_everything() -> None:
    class Log:
        def __init__(self) -> None:
            self.entries: list[Entry] = []

        def write(self, entry: Entry) -> None:
            self.entries.append(entry)

        def close(self) -> None:
            pass

    log, sink = Log(), Fragile()
    trail = Trail(sink, io.StringIO())
    trail.copy_to("log", log)
    trail.event("endpoint-untrusted", Level.ERROR)
    trail.write(record())
    trail.write(record(outcome=Code.NOT_FOUND))
    trail.signed(b'{"event":"checkpoint"}\n')
    trail.close()
    assert [(entry.name, entry.level) for entry in log.entries] == [
        ("endpoint-untrusted", Level.ERROR),
        ("/v1.Disk/SetDiskState", Level.INFO),
        ("/v1.Disk/SetDiskState", Level.WARNING),
        ("checkpoint", Level.INFO),
    ]
    assert log.entries[1].text.encode() + b"\n" == sink.lines[1]
    assert trail.lost_by_followers == {"log": 0}
