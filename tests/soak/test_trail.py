"""Records that are missing, too many or broken are told."""

import io
import json

import pytest
from tests.crash.calls import Request
from tests.soak.client import Tally
from tests.soak.trail import Trail

from csiproxy.auditing import AuditSettings, open_trail
from csiproxy.log import Output

RESCAN = Request("disk/v1", "Rescan")


def line(outcome: str = "OK", **more: object) -> str:
    return json.dumps({"endpoint": "csi-proxy-disk-v1", "rpc": "/v1.Disk/Rescan", "outcome": outcome, **more})


@pytest.fixture
def trail(tmp_path):
    return Trail(tmp_path / "trail")


@pytest.fixture
def write(tmp_path, trail):
    def append(*lines: str, end: str = "\n") -> Trail:
        with open(tmp_path / "trail", "a") as file:
            file.write("\n".join(lines) + end)
        trail.read()
        return trail

    return append


def tally(good: int = 0, bad: int = 0, lost: int = 0, late: int = 0) -> Tally:
    counted = Tally()
    for _ in range(good):
        counted.count(RESCAN, good=True)
    for _ in range(bad):
        counted.count(RESCAN, good=False)
    for at in range(lost):
        counted.miss(RESCAN, 1, late=at < late)
    return counted


def test_a_record_for_each_call_is_what_is_wanted(write):
    assert write(line(), line("NOT_FOUND")).faults(tally(good=1, bad=1), 1) == []
    assert write(line()).faults(tally(good=2, bad=1), 1) == []


def test_a_missing_record_is_told(write):
    assert "2 calls" in write(line()).faults(tally(good=2), 1)[0]


def test_a_record_that_says_another_end_is_told(write):
    assert "1 calls" in write(line("OK")).faults(tally(bad=1), 1)[0]


def test_a_record_of_no_call_is_told(write):
    assert "2 records of 1 to 1" in write(line(), line()).faults(tally(good=1), 1)[0]


def test_a_call_that_was_lost_may_have_arrived_or_not(write):
    assert write(line()).faults(tally(good=1, lost=1), 1) == []
    assert write(line("CANCELLED")).faults(tally(good=1, lost=1), 1) == []


def test_a_call_that_its_client_gave_up_has_a_record_if_its_proxy_lives(write):
    trail = write(line())
    assert trail.faults(tally(good=1, lost=1, late=1), 2) == []
    assert "1 records of 2 to 2" in trail.faults(tally(good=1, lost=1, late=1), 1)[0]


@pytest.mark.parametrize("text", ["{", '{"endpoint": 1}', "[]", "\0"])
def test_a_broken_record_is_told(write, text):
    assert any("broken" in fault for fault in write(line(), text).faults(tally(good=1), 1))


def test_records_that_were_lost_are_told(write):
    lost = json.dumps({"event": "audit-lost", "spilled": 0, "lost": 3})
    assert "3 records were lost" in write(line(), lost).faults(tally(good=1), 1)


def test_events_are_no_calls(write):
    assert write(line(), json.dumps({"event": "start"})).faults(tally(good=1), 1) == []


def test_half_a_line_is_read_once_it_is_whole(write):
    begin, end = line()[:10], line()[10:]
    assert write(begin, end="").records.total() == 0
    assert write(end).records.total() == 1


def test_a_trail_that_is_not_as_it_was_written_is_told(tmp_path):
    path = tmp_path / "trail"
    for _ in range(2):
        audit = open_trail(AuditSettings(str(path), "", False, (), 0, 16), Output(), io.StringIO())
        audit.trail.event("start")
        audit.close()
    assert Trail(path).changes() == []
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    assert "records 3 to" in Trail(path).changes()[0]
