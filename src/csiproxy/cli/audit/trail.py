"""Which trail and which of its calls a command is about."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import click

from csiproxy.audit import files
from csiproxy.audit.calls import Call, time_of
from csiproxy.host.names import printable

C = TypeVar("C", bound=Callable[..., object])

COLUMNS = ("TIME", "RPC", "CALLER", "ABOUT", "OUTCOME")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def trail_argument(command: C) -> C:
    """Give a command the argument TRAIL."""
    return click.argument(
        "trail", metavar="TRAIL", type=click.Path(exists=False, dir_okay=False), callback=_there
    )(command)


def _there(_: click.Context, __: click.Parameter, path: str) -> str:
    try:
        found = files.all_files(path)
    except OSError:
        found = []
    # A trail that vanished as a whole leaves its head; verify has to say that, and not the command line.
    if not found and not os.path.exists(f"{path}.head"):
        raise click.BadParameter(f"there is no trail '{path}': name the file of csi-proxy serve --audit-log")
    return path


class Moment(click.ParamType[datetime]):
    """A time: RFC 3339, or how long ago (``90s``, ``15m``, ``2h``, ``7d``)."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        ago = span_of(str(value))
        if ago is not None:
            return datetime.now(UTC) - ago
        try:
            return time_of(str(value))
        except ValueError:
            self.fail(f"'{value}' is no time: write 2026-01-31T12:00:00Z, or 15m (ago)", param, ctx)


class Span(click.ParamType[timedelta]):
    """How long (``90s``, ``15m``, ``2h``)."""

    name = "span"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        span = span_of(str(value))
        if span is None:
            self.fail(f"'{value}' is no span of time: write 90s, 15m or 2h", param, ctx)
        return span


def span_of(text: str) -> timedelta | None:
    """A span of time; None for a text that is none."""
    number, unit = text[:-1], text[-1:]
    if unit in _UNITS and number.isascii() and number.isdigit() and len(number) < 8:
        return timedelta(seconds=int(number) * _UNITS[unit])
    return None


def row(call: Call) -> tuple[str, str, str, str, str]:
    """A call as a line of a table."""
    return (
        call.time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        call.rpc.removeprefix("/"),
        call.caller,
        about(call),
        ended(call),
    )


def ended(call: Call) -> str:
    """How a call ended, with what refused it."""
    rule = call.record.get("rule")
    return f"{call.outcome} (refused: {rule})" if rule else call.outcome


def about(call: Call) -> str:
    """What a call named, as it was written, in one line."""
    arguments = call.record.get("arguments")
    if not isinstance(arguments, dict):
        return ""
    told = (f"{name}={_short(value)}" for name, value in arguments.items() if value not in ("", None, "***"))
    return printable(" ".join(told))


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 160 else f"{text[:80]}…{text[-79:]}"
