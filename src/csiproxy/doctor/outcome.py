"""How a self-test ends."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a self-test found out."""

    OK = "ok"
    DIFFERS = "differs"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict, and what was seen, or why nothing was tried."""

    verdict: Verdict
    seen: str


class Differs(Exception):
    """This node does something else than is assumed; the text says what was seen."""


class NotTried(Exception):
    """It cannot be tried here; the text says why, and where there is a way, which."""
