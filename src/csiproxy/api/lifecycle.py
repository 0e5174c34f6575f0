"""How long what was promised is kept: stages, releases and the KEP's deprecation policy.

KEP-1122, "CSI Proxy GRPC API Graduation and Deprecation Policy": after its announced deprecation a member
(an RPC or a field), and with it a whole version, is kept for 12 months or 3 releases when it is stable, for
9 months or 3 releases when it is beta, whichever is longer; alpha is promised nothing.

Everything here is a pure function of a table and a list of releases.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import pairwise


class Stage(Enum):
    """How mature a version is; its name says so (``v1alpha1``, ``v1beta2``, ``v1``)."""

    ALPHA = "alpha"
    BETA = "beta"
    STABLE = "stable"


@dataclass(frozen=True, slots=True)
class Release:
    """A release of this program and the day it came out."""

    name: str
    day: date


RELEASES: tuple[Release, ...] = (Release("0.1.0", date(2026, 11, 24)),)
"""Every release of this program, oldest first."""


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Which release announced a deprecation and which one removed; empty: none did."""

    deprecated_in: str = ""
    removed_in: str = ""


NOTHING_ANNOUNCED = Lifecycle()


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One thing that the policy speaks of: a version (``disk/v1beta1``) or a member of one.

    A member is an RPC (``disk/v1beta1 DiskStats``) or a field (``disk/v1beta1 DiskStatsRequest.diskID``).
    """

    subject: str
    stage: Stage
    lifecycle: Lifecycle


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a stage is kept after the release that announced its deprecation."""

    months: int
    releases: int


POLICY = {
    Stage.STABLE: Keeping(months=12, releases=3),
    Stage.BETA: Keeping(months=9, releases=3),
    Stage.ALPHA: Keeping(months=0, releases=0),
}


@dataclass(frozen=True, slots=True)
class EarliestRemoval:
    """When something deprecated may go at the earliest.

    ``not_before`` is the first day, ``releases_to_come`` the number of releases that must still come out
    (the last of them may leave it out), ``release`` the first known release that may leave it out, empty
    when none of the known ones may.
    """

    not_before: date
    releases_to_come: int
    release: str


def earliest_removal(stage: Stage, deprecated_in: str, releases: Sequence[Release]) -> EarliestRemoval:
    """Apply the policy to a deprecation announced in one of ``releases`` (oldest first).

    A release may remove when it comes out at least the stage's months after the announcing one and is at
    least the stage's number of releases after it.  Raises :class:`KeyError` for an unknown release.
    """
    at = _index(releases)[deprecated_in]
    keeping = POLICY[stage]
    not_before = months_later(releases[at].day, keeping.months)
    first = at + keeping.releases
    release = next((later.name for later in releases[first:] if later.day >= not_before), "")
    return EarliestRemoval(not_before, max(0, first - len(releases) + 1), release)


def violations(table: Iterable[Lifetime], releases: Sequence[Release]) -> list[str]:
    """Name every broken promise in ``table``, one sentence each; an empty list means that all are kept."""
    found = _release_faults(releases)
    if found:
        return found
    known = _index(releases)
    for lifetime in table:
        fault = _fault(lifetime, known, releases)
        if fault:
            found.append(f"{lifetime.subject}: {fault}")
    return found


def months_later(day: date, months: int) -> date:
    """Return the day that many months later; where that month is too short, the first of the next one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        return months_later(date(year, month + 1, 1), 1)


def _index(releases: Sequence[Release]) -> dict[str, int]:
    return {release.name: at for at, release in enumerate(releases)}


def _release_faults(releases: Sequence[Release]) -> list[str]:
    faults = []
    if len(_index(releases)) != len(releases):
        faults.append("releases: a name stands twice")
    for earlier, later in pairwise(releases):
        if later.day < earlier.day:
            faults.append(f"releases: {later.name} is dated before {earlier.name}, which stands before it")
    return faults


def _fault(lifetime: Lifetime, known: dict[str, int], releases: Sequence[Release]) -> str:
    deprecated, removed = lifetime.lifecycle.deprecated_in, lifetime.lifecycle.removed_in
    for name in (deprecated, removed):
        if name and name not in known:
            return f"{name} is not a release"
    if not removed:
        return ""
    if not deprecated:
        if lifetime.stage is Stage.ALPHA:
            return ""
        return f"removed in {removed} without a deprecation before"
    if known[removed] < known[deprecated]:
        return f"removed in {removed}, before its deprecation in {deprecated}"
    earliest = earliest_removal(lifetime.stage, deprecated, releases)
    if earliest.release and known[removed] >= known[earliest.release]:
        return ""
    keeping = POLICY[lifetime.stage]
    return (
        f"removed in {removed}, too early: {lifetime.stage.value} is kept until {earliest.not_before} and "
        f"for {keeping.releases} releases after {deprecated}"
    )
