"""The deprecation policy, tried on invented histories."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.strategies import UNHURRIED

from csiproxy.api.lifecycle import (
    POLICY,
    EarliestRemoval,
    Lifecycle,
    Lifetime,
    Release,
    Stage,
    earliest_removal,
    months_later,
    violations,
)

QUARTERLY = tuple(Release(f"1.{at}.0", months_later(date(2027, 1, 15), 3 * at)) for at in range(8))
MONTHLY = tuple(Release(f"1.{at}.0", months_later(date(2027, 1, 15), at)) for at in range(15))
YEARLY = tuple(Release(f"1.{at}.0", months_later(date(2027, 1, 15), 12 * at)) for at in range(5))


@pytest.mark.parametrize(
    ("stage", "releases", "expected"),
    [
        (Stage.STABLE, QUARTERLY, EarliestRemoval(date(2028, 1, 15), 0, "1.4.0")),  # 12 months are the longer
        (Stage.STABLE, YEARLY, EarliestRemoval(date(2028, 1, 15), 0, "1.3.0")),  # 3 releases are the longer
        (Stage.STABLE, MONTHLY, EarliestRemoval(date(2028, 1, 15), 0, "1.12.0")),
        (Stage.BETA, QUARTERLY, EarliestRemoval(date(2027, 10, 15), 0, "1.3.0")),
        (Stage.BETA, MONTHLY, EarliestRemoval(date(2027, 10, 15), 0, "1.9.0")),
        (Stage.BETA, YEARLY, EarliestRemoval(date(2027, 10, 15), 0, "1.3.0")),
        (Stage.ALPHA, QUARTERLY, EarliestRemoval(date(2027, 1, 15), 0, "1.0.0")),
        (Stage.STABLE, MONTHLY[:1], EarliestRemoval(date(2028, 1, 15), 3, "")),
        (Stage.STABLE, MONTHLY[:3], EarliestRemoval(date(2028, 1, 15), 1, "")),
        (Stage.STABLE, MONTHLY[:6], EarliestRemoval(date(2028, 1, 15), 0, "")),
    ],
)
def test_a_deprecation_in_the_first_release_allows_removal_from(stage, releases, expected):
    assert earliest_removal(stage, "1.0.0", releases) == expected


def test_an_unknown_release_has_no_earliest_removal():
    with pytest.raises(KeyError):
        earliest_removal(Stage.BETA, "9.9.9", QUARTERLY)


@pytest.mark.parametrize(
    ("stage", "deprecated", "removed", "fault"),
    [
        (Stage.STABLE, "", "", ""),
        (Stage.STABLE, "1.0.0", "", ""),
        (Stage.STABLE, "1.0.0", "1.4.0", ""),
        (
            Stage.STABLE,
            "1.0.0",
            "1.3.0",
            "too early: stable is kept until 2028-01-15 and for 3 releases after 1.0.0",
        ),
        (Stage.BETA, "1.0.0", "1.3.0", ""),
        (
            Stage.BETA,
            "1.0.0",
            "1.2.0",
            "too early: beta is kept until 2027-10-15 and for 3 releases after 1.0.0",
        ),
        (Stage.BETA, "", "1.2.0", "removed in 1.2.0 without a deprecation before"),
        (Stage.STABLE, "", "1.7.0", "removed in 1.7.0 without a deprecation before"),
        (Stage.ALPHA, "", "1.0.0", ""),
        (Stage.ALPHA, "1.1.0", "1.1.0", ""),
        (Stage.ALPHA, "1.1.0", "1.0.0", "removed in 1.0.0, before its deprecation in 1.1.0"),
        (Stage.STABLE, "1.4.0", "1.1.0", "removed in 1.1.0, before its deprecation in 1.4.0"),
        (Stage.STABLE, "0.9.0", "", "0.9.0 is not a release"),
        (Stage.ALPHA, "", "2.0.0", "2.0.0 is not a release"),
    ],
)
def test_a_removal_is_judged_by_the_policy(stage, deprecated, removed, fault):
    found = violations([Lifetime("disk/v9 DiskStats", stage, Lifecycle(deprecated, removed))], QUARTERLY)
    if fault:
        (text,) = found
        assert text.startswith("disk/v9 DiskStats: ")
        assert text.endswith(fault)
    else:
        assert found == []


def test_every_broken_promise_is_named():
    broken = [Lifetime(f"disk/v{at}", Stage.STABLE, Lifecycle("", "1.1.0")) for at in range(3)]
    assert len(violations(broken, QUARTERLY)) == 3


@pytest.mark.parametrize(
    ("releases", "fault"),
    [
        ((QUARTERLY[1], QUARTERLY[0]), "releases: 1.0.0 is dated before 1.1.0, which stands before it"),
        ((QUARTERLY[0], QUARTERLY[0]), "releases: a name stands twice"),
    ],
)
def test_a_muddled_list_of_releases_is_itself_a_fault(releases, fault):
    assert violations([], releases) == [fault]


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 11, 24), 12, date(2027, 11, 24)),
        (date(2026, 11, 24), 9, date(2027, 8, 24)),
        (date(2026, 12, 31), 2, date(2027, 3, 1)),
        (date(2028, 2, 29), 12, date(2029, 3, 1)),
        (date(2027, 12, 1), 1, date(2028, 1, 1)),
        (date(2027, 5, 31), 0, date(2027, 5, 31)),
    ],
)
def test_months_are_counted_on_the_calendar_and_never_fall_short(day, months, later):
    assert months_later(day, months) == later


@st.composite
def histories(draw):
    """Releases with any gaps between them, one of which deprecates."""
    gaps = draw(st.lists(st.integers(0, 400), min_size=1, max_size=12))
    days = [date(2026, 11, 24) + timedelta(days=sum(gaps[:at])) for at in range(len(gaps))]
    releases = tuple(Release(f"r{at}", day) for at, day in enumerate(days))
    return releases, draw(st.integers(0, len(releases) - 1))


@UNHURRIED
@given(histories(), st.sampled_from(Stage))
def test_a_removal_is_allowed_exactly_when_both_the_time_and_the_releases_have_passed(history, stage):
    releases, deprecated = history
    keeping = POLICY[stage]
    for at, release in enumerate(releases):
        lifetime = Lifetime("x", stage, Lifecycle(releases[deprecated].name, release.name))
        enough_time = release.day >= months_later(releases[deprecated].day, keeping.months)
        enough_releases = at - deprecated >= keeping.releases
        allowed = at >= deprecated and enough_time and enough_releases
        assert (violations([lifetime], releases) == []) is allowed


@UNHURRIED
@given(histories(), st.sampled_from(Stage))
def test_the_promise_never_shrinks_when_more_releases_come_out(history, stage):
    releases, deprecated = history
    name = releases[deprecated].name
    full = earliest_removal(stage, name, releases)
    for count in range(deprecated + 1, len(releases) + 1):
        part = earliest_removal(stage, name, releases[:count])
        assert part.not_before == full.not_before
        assert part.release in ("", full.release)
        assert part.releases_to_come == max(0, deprecated + POLICY[stage].releases - count + 1)
