"""Times, spans and calls, as the commands take and show them."""

from datetime import UTC, datetime, timedelta

import click
import pytest

from csiproxy.audit.calls import Call
from csiproxy.cli.audit.trail import Moment, Span, about, ended, row, span_of


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("h", None),
        ("1.5h", None),
        ("-2h", None),
        ("2", None),
        ("99999999d", None),
    ],
)
def test_spans(text, span):
    assert span_of(text) == span


def test_a_moment_is_a_time_or_so_long_ago():
    assert Moment().convert("2026-01-31T12:00:00Z", None, None) == datetime(2026, 1, 31, 12, tzinfo=UTC)
    ago = datetime.now(UTC) - Moment().convert("2h", None, None)
    assert timedelta(hours=1) < ago < timedelta(hours=3)
    with pytest.raises(click.UsageError, match="no time"):
        Moment().convert("2026-01-31", None, None)
    with pytest.raises(click.UsageError, match="no span"):
        Span().convert("soon", None, None)


def test_what_a_call_was_about_is_one_line_without_secrets_and_empty_fields():
    call = Call({"arguments": {"path": "C:\\a\nb", "password": "***", "force": False, "username": ""}})
    assert about(call) == "path=C:\\a\\u{a}b force=False"
    assert len(about(Call({"arguments": {"path": "x" * 5000}}))) < 200
    assert about(Call({"arguments": None})) == ""


def test_a_row_tells_when_what_who_and_how():
    call = Call(
        {
            "time": "2026-01-31T13:00:00+01:00",
            "rpc": "/v1.Disk/Rescan",
            "caller": {"pid": 1, "uid": 0},
            "arguments": {},
            "outcome": "UNAVAILABLE",
            "rule": "audit",
        }
    )
    when, outcome = "2026-01-31 12:00:00", "UNAVAILABLE (refused: audit)"
    assert row(call) == (when, "v1.Disk/Rescan", "pid 1 uid 0", "", outcome)
    assert ended(Call({})) == "UNFINISHED"
