"""The soak in small: some lives on the directory store, with all that goes wrong in the long one."""

from collections.abc import Callable
from pathlib import Path

from tests import leaks
from tests.soak.__main__ import figures
from tests.soak.plan import Store
from tests.soak.run import Plan, Report, Soak

SEED = 20
Finder = Callable[[str], str]


def soak(directory: Path, plan: Plan, find: Finder) -> Report:
    """Live and look; every promise holds."""
    told: list[int] = []
    report = Soak(directory, plan, find, told.append).run()
    assert report.violations == [], "\n".join(report.violations)
    assert report.lives == plan.lives + plan.tail == len(told)
    assert report.records >= report.calls - report.unanswered > 10 * report.lives
    assert report.files > report.lives
    assert report.faults > 0
    assert figures(report)["held"]
    leaks.search(directory)
    return report


def test_pods_live_through_kills_and_faults_and_nothing_is_lost_or_left(directory):
    report = soak(directory, Plan(Store.DIRECTORY, 40, SEED, 4, tail=20, stretch=20, kill_every=8), str)
    assert report.kills >= 4
    assert report.looks == 3
    assert report.retries > 0
