"""The suite's frame: an attack, what it may need, and what came of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from tests.attack.target import Own, Target

_MOST_TOLD = 20


@dataclass
class Result:
    """What came of an attack.  ``problems`` is empty when the proxy withstood.

    ``skipped`` says what was missing; ``beside`` counts calls that were made to clean up.
    """

    tries: int = 0
    problems: list[str] = field(default_factory=list)
    skipped: str = ""
    beside: int = 0
    seconds: float = 0.0

    def wrong(self, *what: str) -> None:
        """Note what must not be; the first of many say enough."""
        self.problems += what[: max(0, _MOST_TOLD - len(self.problems))]

    @property
    def verdict(self) -> str:
        """In a word."""
        return "skipped" if self.skipped else "FAILED" if self.problems else "withstood"


@dataclass(frozen=True)
class Attack:
    """One kind of attack.

    ``limit`` says what must hold.  ``run`` gets a proxy, how many tries there may be, and the seed;
    ``run_own`` one with a node of its own, to look at and to start again.  ``spoils``: that node is of no use
    afterwards.
    """

    name: str
    limit: str
    run: Callable[[Target, int, int], Result] | None = None
    run_own: Callable[[Own, int, int], Result] | None = None
    spoils: bool = False


def attack_own(attack: Attack, made: Own, tries: int, seed: int) -> Result:
    """Run an attack against a proxy of our own, which goes on if the attack does not spoil its node."""
    started = monotonic()
    if attack.run_own is not None:
        result = attack.run_own(made, tries, seed)
    else:
        assert attack.run is not None
        result = attack.run(made.target, tries, seed)
    return _looked_after(made.target, result, started)


def attack_foreign(attack: Attack, target: Target, tries: int, seed: int) -> Result:
    """Run an attack against any proxy that runs."""
    started = monotonic()
    if attack.run is None:
        return Result(skipped="needs a node of its own")
    return _looked_after(target, attack.run(target, tries, seed), started)


def _looked_after(target: Target, result: Result, started: float) -> Result:
    """Whatever was done: the proxy serves others, has started nothing, and its records and log are whole."""
    if problem := target.healthy():
        result.wrong(problem)
    result.wrong(*(f"the proxy has started process {pid}" for pid in target.children()))
    result.wrong(*target.faults_in_log())
    if target.audit:
        try:
            target.records()
        except ValueError as error:
            result.wrong(f"a line of the audit trail is no record: {error}")
    target.close()
    result.seconds = monotonic() - started
    return result


def table(rows: Iterable[tuple[Attack, Result]]) -> str:
    """The rows as a table: attack, tries, limit, result, seconds."""
    cells: list[Sequence[str]] = [("attack", "tries", "limit", "result", "seconds")]
    for attack, result in rows:
        verdict = result.verdict + (f" ({result.skipped})" if result.skipped else "")
        cells.append((attack.name, str(result.tries), attack.limit, verdict, f"{result.seconds:.1f}"))
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
