"""Lines that the trail writes about itself, and times as all its lines have them."""

import json
from datetime import UTC, datetime
from typing import TypeAlias

Fact: TypeAlias = str | int | bool

_to_json = json.JSONEncoder(separators=(",", ":")).encode


def rfc3339(time: datetime) -> str:
    """``2026-01-31T12:00:00.000001Z`` (RFC 3339 section 5.6)."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def event(name: str, **facts: Fact) -> bytes:
    """An event as a line."""
    return _to_json({"time": rfc3339(datetime.now(UTC)), "event": name, **facts}).encode("ascii") + b"\n"
