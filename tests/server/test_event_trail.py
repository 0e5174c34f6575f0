"""One event an RPC, without the RPC waiting; of reading calls no flood; nothing lost without a word."""

import io
import json
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.api import versions
from csiproxy.audit import copies as audit
from csiproxy.errors import Code
from csiproxy.rpc.stream import Peer
from csiproxy.server import event_trail
from csiproxy.server.audit import Record, Trail
from csiproxy.server.event_kinds import Level
from csiproxy.server.event_trail import LONGEST, MOST_WAITING, READS_AT_ONCE, EventTrail


def record(rpc="/v1.Volume/FormatVolume", **changes) -> Record:
    fields = {
        "time": datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC),
        "endpoint": "csi-proxy-volume-v1",
        "rpc": rpc,
        "peer": Peer(41, None, r"NODE\driver", r"C:\driver.exe", 0),
        "arguments": {"volume_id": "v"},
        "outcome": Code.OK,
        "windows_code": 0,
        "seconds": 0.0123456,
    }
    return Record(**{**fields, **changes})


READ = record("/v1.Filesystem/PathExists")


class Log:
    """An event log in memory.  ``gate`` holds whoever writes; ``broken`` fails."""

    def __init__(self) -> None:
        self.events: list[tuple[int, Level, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.closed = False

    def report(self, event: int, level: Level, text: str) -> None:
        self.gate.wait()
        if self.broken:
            raise OSError(1500, "The event log file is corrupted.")
        self.events.append((event, level, text))

    def close(self) -> None:
        self.closed = True


class Ground:
    def __init__(self) -> None:
        self.log, self.complaints = Log(), io.StringIO()
        self.trail = EventTrail(self.log, versions.CONTRACTS, self.complaints)

    def end(self) -> list[tuple[int, Level, str]]:
        """Close, and give the events without that of the end."""
        self.log.gate.set()
        self.trail.close()
        assert self.log.closed
        return [event for event in self.log.events if event[0] != 2]


@pytest.fixture
def ground():
    ground = Ground()
    yield ground
    ground.end()


def test_a_call_is_an_event_that_people_and_programs_read(ground):
    ground.trail.called(record())
    [(event, level, text)] = ground.end()
    assert (event, level) == (604, Level.INFORMATION)
    line, empty, trail = text.split("\r\n")
    who = r"process 41, C:\driver.exe, NODE\driver"
    assert line == f"FormatVolume at csi-proxy-volume-v1, called by {who}, done in 12.3 ms"
    assert empty == ""
    assert json.loads(trail)["arguments"] == {"volume_id": "v"}


def test_a_failure_says_what_it_was(ground):
    failed = record(outcome=Code.UNAVAILABLE, windows_code=53, error="the server is not there")
    ground.trail.called(failed)
    [(event, level, text)] = ground.end()
    assert (event, level) == (604, Level.ERROR)
    assert "failed with UNAVAILABLE, Windows code 53 after 12.3 ms: the server is not there" in text


def test_the_start_the_end_and_what_concerns_security_are_events(ground):
    ground.trail.started(24, ["csi-proxy-disk-v1"])
    facts = {"endpoint": "csi-proxy-smb-v1", "pid": 7, "image": None}
    ground.trail.told("endpoint-untrusted", audit.Level.ERROR, facts)
    ground.trail.told("start", audit.Level.INFO, {})
    ground.end()
    (first, level, text), (second, grave, what), (last, _, end) = ground.log.events
    assert (first, level, second, grave, last) == (1, Level.INFORMATION, 3, Level.ERROR, 2)
    assert text.endswith("answers calls at 24 endpoints; left to another process: csi-proxy-disk-v1")
    assert what == "SECURITY: endpoint-untrusted: endpoint csi-proxy-smb-v1, pid 7"
    assert "no more calls" in end


def test_reading_calls_beyond_the_limit_are_told_in_one_event(ground):
    for _ in range(READS_AT_ONCE + 500):
        ground.trail.called(READ)
    ground.trail.called(record())
    events = ground.end()
    single = [event for event, *_ in events if event == 200]
    assert READS_AT_ONCE <= len(single) < READS_AT_ONCE + 100
    assert [event for event, *_ in events].count(604) == 1
    [(_, level, text)] = [event for event in events if event[0] == 4]
    assert level is Level.INFORMATION
    assert f"{READS_AT_ONCE + 500 - len(single)} calls that only read" in text
    assert f"PathExists {READS_AT_ONCE + 500 - len(single)}" in text


def test_a_method_that_does_not_exist_cannot_flood_the_log(ground):
    for number in range(500):
        ground.trail.called(record(f"/v1.Nothing/{number}", outcome=Code.UNIMPLEMENTED))
    events = ground.end()
    assert {event for event, *_ in events} == {5, 4}
    assert len(events) < 200


def test_calls_do_not_wait_for_a_log_that_hangs_and_what_is_lost_is_told(ground):
    ground.log.gate.clear()
    for _ in range(MOST_WAITING + 50):
        ground.trail.called(record())
    lost = ground.trail.lost
    assert 0 < lost <= 50
    events = ground.end()
    assert len([event for event, *_ in events if event == 604]) == MOST_WAITING + 50 - lost
    [(_, level, text)] = [event for event in events if event[0] == 4]
    assert level is Level.WARNING
    # The event of the end found no room either.
    assert f"{lost + 1} events were lost" in text


def test_a_log_that_fails_is_complained_of_once(ground):
    ground.log.broken = True
    for _ in range(3):
        ground.trail.called(record())
    ground.end()
    assert ground.trail.lost >= 3
    assert ground.complaints.getvalue().count("\n") == 1
    assert "The event log file is corrupted." in ground.complaints.getvalue()


def test_the_audit_trail_passes_on_what_it_is_told(ground):
    trail = Trail(io.BytesIO(), io.StringIO())
    trail.follow(ground.trail)
    trail.write(record())
    trail.event("endpoint-untrusted", audit.Level.ERROR, endpoint="csi-proxy-smb-v1")
    trail.signed(b'{"event":"checkpoint"}\n')
    assert [event for event, *_ in ground.end()] == [604, 3, 6]


@given(st.text(), st.text())
def test_no_text_of_a_request_fills_places_or_makes_lines(path, error):
    hostile = record(arguments={"path": path}, outcome=Code.NOT_FOUND, error=error)
    ground = Ground()
    ground.trail.called(hostile)
    [(_, _, text)] = ground.end()
    assert "%" not in text
    line, _, trail = text.split("\r\n")
    assert line.isprintable() or not set(line) & {chr(c) for c in range(32)}
    assert json.loads(trail)["arguments"] == {"path": path}
    assert len(text) <= LONGEST


def test_the_limits_are_windows_own():
    assert event_trail.LONGEST <= 31839
