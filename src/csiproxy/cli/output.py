"""How results leave: tables and trees for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from csiproxy.cli.failure import Failure, Problem
from csiproxy.host.names import printable

PLAIN_WIDTH = 400
"""Columns where the output is no terminal, so that no line is broken and every one can be searched."""

C = TypeVar("C", bound=Callable[..., object])


@dataclass(slots=True)
class Output:
    """What the user asked for, and the way there.  ``json`` is set by the option ``-o``."""

    json: bool = False

    def result(self, plain: object, show: Callable[[Console], None]) -> None:
        """Write a result: ``plain`` as one JSON document, or what ``show`` prints."""
        if self.json:
            sys.stdout.write(as_json(plain) + "\n")
        else:
            show(console())

    def done(self, sentence: str, **facts: str | int) -> None:
        """Say what was done: a sentence for people, facts for programs."""
        if self.json:
            sys.stdout.write(as_json(facts) + "\n")
        else:
            sys.stdout.write(f"{printable(sentence)}\n")

    def failure(self, failure: Failure) -> None:
        """Write a failure: JSON to standard output, text to standard error."""
        if self.json:
            document: dict[str, object] = {"error": failure.problem.plain()}
            if failure.reply is not None:
                document["reply"] = failure.reply
            sys.stdout.write(as_json(document) + "\n")
        else:
            write_problem(failure.problem)


def write_problem(problem: Problem) -> None:
    """Write a failure for people to standard error."""
    lines = (f"csi-proxy: {problem.message}", *problem.lines()[1:])
    sys.stderr.write("".join(f"{printable(line)}\n" for line in lines))


class _Console(Console):
    """A console that leaves a reader who has gone to the program's one place for that."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, stderr: bool = False) -> Console:
    """A console of the stream as it is now; plain and wide where that is no terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """A table; the columns named in ``right`` hold numbers."""
    box = SIMPLE_HEAD if sys.stdout.isatty() else None  # no rule between head and rows for grep and awk
    made = Table(box=box, show_edge=False, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell)) for cell in row))
    return made


def as_json(value: object, indent: int | None = None) -> str:
    """JSON that a terminal may get, too: what is not printable is escaped, all else is not."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on a terminal that something goes on, and what."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    with screen.status(Text(what)):
        yield


def output_option(command: C) -> C:
    """Give a command the option ``-o json``; the root's :class:`Output` learns of it."""

    def remember(context: click.Context, _: click.Parameter, value: str) -> None:
        if value == "json":
            context.find_object(Output).json = True  # type: ignore[union-attr]  # the root made it

    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        expose_value=False,
        callback=remember,
        help="text for people or JSON for programs; errors then are JSON too",
    )(command)
