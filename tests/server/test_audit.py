"""Every record is one line of JSON that survives hostile texts and failing disks."""

import io
import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import Code
from csiproxy.operations.context import Note
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import LONGEST_TEXT, FileSink, Record, Trail, encode


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


class LyingDown:
    """A sink that fails while ``down``."""

    def __init__(self) -> None:
        self.down = True
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        if self.down:
            raise OSError(28, "No space left on device")
        self.lines.append(line)


def test_a_record_holds_who_what_how_and_how_long() -> None:
    assert json.loads(encode(record(notes=(Note("brought-online", {"disk": 1, "by": "policy"}),)))) == {
        "time": "2026-01-31T12:00:00.000001Z",
        "endpoint": "csi-proxy-disk-v1",
        "rpc": "/v1.Disk/SetDiskState",
        "caller": {"pid": 41, "uid": 1000},
        "arguments": {"disk_number": 1},
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


def test_times_are_utc_whatever_zone_they_were_taken_in() -> None:
    elsewhere = datetime(2026, 1, 31, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert json.loads(encode(record(time=elsewhere)))["time"] == "2026-01-31T12:00:00.000000Z"


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


def test_a_new_file_is_for_its_owner_alone_and_an_old_one_is_appended_to(tmp_path) -> None:
    path = tmp_path / "audit.jsonl"
    for _ in range(2):
        Trail(FileSink.open(str(path)), io.StringIO()).write(record())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes().splitlines()) == 2


def test_lines_of_many_threads_and_two_writers_do_not_mix(tmp_path) -> None:
    path = str(tmp_path / "audit.jsonl")
    trails = [Trail(FileSink.open(path), io.StringIO()) for _ in range(2)]

    def write(trail: Trail) -> None:
        for number in range(50):
            trail.write(record(arguments={"path": "x" * 900, "number": number}))

    threads = [threading.Thread(target=write, args=(trails[i % 2],)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open(path, "rb") as file:
        assert [json.loads(line)["rpc"] for line in file] == ["/v1.Disk/SetDiskState"] * 300


def test_a_failing_sink_is_reported_once_counted_and_noted_when_it_works_again() -> None:
    sink, complaints = LyingDown(), io.StringIO()
    trail = Trail(sink, complaints)
    for _ in range(3):
        trail.write(record())
    sink.down = False
    trail.write(record())
    trail.write(record())
    assert trail.lost == 3
    assert complaints.getvalue().count("\n") == 1
    assert "No space left on device" in complaints.getvalue()
    assert [json.loads(line).get("lost_before") for line in sink.lines] == [3, None]


def test_a_sink_that_fails_in_any_way_does_not_fail_the_call() -> None:
    class Broken:
        def write(self, line: bytes) -> None:
            raise RuntimeError("not an OSError")

    complaints = io.StringIO()
    complaints.close()  # nor does it matter that nobody can be told
    trail = Trail(Broken(), complaints)
    trail.write(record())
    assert trail.lost == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_survived() -> None:
    complaints = io.StringIO()
    trail = Trail(FileSink.open("/dev/full"), complaints)
    trail.write(record())
    assert trail.lost == 1
    assert complaints.getvalue().startswith("audit: a record could not be written")


def test_a_line_that_was_torn_is_ended_before_the_next_one() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    sink = FileSink(writing)
    with pytest.raises(BlockingIOError):
        sink.write(b"x" * (1 << 20) + b"\n")
    torn = os.read(reading, 1 << 20)
    assert torn == b"x" * len(torn)
    sink.write(b"next\n")
    assert os.read(reading, 100) == b"\nnext\n"
    os.close(reading)
    os.close(writing)
