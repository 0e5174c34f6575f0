"""The soak in small: some lives on each store, with all that goes wrong in the long one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests import leaks
from tests.conftest import find_foreign, find_library, require_smb
from tests.soak.__main__ import figures
from tests.soak.plan import Store
from tests.soak.run import Plan, Report, Soak

SEED = 20
# In the few lives of these seeds everything else goes wrong, but no step hangs: those are waited for on the
# directory store, where drivers wait least.
IMAGE_SEED, SMB_SEED, ISCSI_SEED = 37, 27, 141
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


@pytest.mark.foreign
def test_pods_live_in_file_systems_that_are_real(directory, mounting):
    report = soak(directory, Plan(Store.IMAGE, 20, IMAGE_SEED, 4, stretch=10, kill_every=5), find_foreign)
    assert report.kills > 0


@pytest.mark.foreign
def test_pods_live_on_shares_of_a_server_that_is_restarted(directory, foreign):
    require_smb()
    report = soak(directory, Plan(Store.SMB, 10, SMB_SEED, 4, stretch=10, kill_every=4), foreign)
    assert report.restarts > 0
    assert report.kills > 0


@pytest.mark.foreign
def test_pods_live_on_units_of_a_target_that_is_restarted(directory, foreign):
    find_library("libiscsi.so.7")
    report = soak(directory, Plan(Store.ISCSI, 20, ISCSI_SEED, 4, stretch=10, kill_every=5), find_foreign)
    assert report.restarts > 0
    assert report.kills > 0
