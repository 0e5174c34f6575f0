"""What the demo shows: rows as they happen on a terminal, one plain line each elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from csiproxy.cli.output import PLAIN_WIDTH
from csiproxy.host.names import printable

NAME_WIDTH = 38


class Screen:
    """Prints acts and rows.  ``plain`` is for pipes and files: no colour, no redrawing, long lines."""

    def __init__(self, *, plain: bool) -> None:
        self._plain = plain or not sys.stdout.isatty()
        width = PLAIN_WIDTH if self._plain else None
        self._console = Console(
            width=width, no_color=self._plain, highlight=False, markup=False, emoji=False, force_terminal=None
        )

    def title(self, text: str) -> None:
        """Begin a life."""
        self._console.print()
        if self._plain:
            self._console.print(f"=== {text} ===")
        else:
            self._console.print(Rule(Text(text, style="bold")))

    def act(self, text: str) -> None:
        """Begin a part of it."""
        self._console.print(Text(f"\n{text}", style="bold cyan"))

    def row(self, *, ok: bool, name: str, outcome: str, seconds: float) -> None:
        """Show a step that is over."""
        name, outcome, time = printable(name), printable(outcome), f"{seconds * 1000:.1f} ms"
        if self._plain:
            self._console.print(
                f"{'OK    ' if ok else 'FAILED'}  {name}: {outcome}  [{time}]", soft_wrap=True
            )
            return
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        grid.add_column(width=NAME_WIDTH, overflow="fold")
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(width=11, justify="right")
        colour = "green" if ok else "bold red"
        grid.add_row(
            Text("✓" if ok else "✗", style=colour),
            Text(name),
            Text(outcome, style="" if ok else colour),
            time,
        )
        self._console.print(grid)

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Show on a terminal which step runs."""
        if self._plain:
            yield
            return
        with self._console.status(Text(name)):
            yield

    def show(self, what: RenderableType) -> None:
        """Show a picture or a sentence."""
        self._console.print(what)
