"""Lines about the trail itself are ASCII JSON with a time in UTC."""

import json
from datetime import UTC, datetime, timedelta, timezone

from csiproxy.audit.line import event, rfc3339


def test_times_are_utc_whatever_zone_they_were_taken_in():
    elsewhere = datetime(2026, 1, 31, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(elsewhere) == "2026-01-31T12:00:00.000000Z"
    assert rfc3339(datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)) == "2026-01-31T12:00:00.000001Z"


def test_an_event_is_one_line_with_its_facts():
    line = event("resumed", finding="a\nb ü")
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert json.loads(line)["finding"] == "a\nb ü"
