"""The table of guard rails speaks for itself."""

from pathlib import Path

import pytest

from csiproxy.operations import rail
from csiproxy.operations.rail import LIFTABLE, RAILS, Act, Rail
from csiproxy.operations.rails import _FINDERS

DOCS = Path(__file__).parents[2] / "docs"


def test_names_are_unlike_and_can_be_typed():
    names = [row.name for row in RAILS]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalpha() and name.islower() for name in names)


@pytest.mark.parametrize("row", RAILS, ids=lambda row: row.name)
def test_advice_names_the_rail_and_the_way_out(row: Rail):
    assert row.advice.endswith(f"(rail {row.name})")
    assert row.way_out in row.advice
    assert ("--lift-rail" in row.advice) is row.liftable


@pytest.mark.parametrize("row", RAILS, ids=lambda row: row.name)
def test_every_rail_is_in_the_operators_documentation(row: Rail):
    assert f"| `{row.name}` |" in (DOCS / "running.md").read_text()


def test_every_rail_of_disks_and_volumes_has_somebody_who_looks():
    assert {row.name for row in RAILS if row.acts} == {row.name for row, _ in _FINDERS}


def test_the_system_disk_is_never_given_away():
    assert rail.SYSTEM_DISK.name not in LIFTABLE
    assert rail.SYSTEM_DISK.acts == frozenset(Act) - {Act.REFORMAT}
