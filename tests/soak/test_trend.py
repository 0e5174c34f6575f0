"""Memory that grows is told from memory that settles."""

from tests.soak.trend import BOUND, FEWEST, trend

MIB = 1 << 20


def samples(of, count=20):
    return [(100 * at, round(of(100 * at))) for at in range(count)]


def test_what_stays_is_flat_and_so_is_what_has_grown_in_the_beginning():
    assert trend(samples(lambda lives: 30 * MIB)).is_flat
    assert trend(samples(lambda lives: 30 * MIB + min(lives, 500) * 20_000)).is_flat


def test_what_every_life_leaves_is_seen():
    found = trend(samples(lambda lives: 30 * MIB + lives * 3000))
    assert not found.is_flat
    assert round(found.per_life) == 3000
    assert found.growth > BOUND


def test_one_outlier_is_no_trend():
    measured = samples(lambda lives: 30 * MIB)
    measured[-1] = (measured[-1][0], 60 * MIB)
    assert trend(measured).is_flat


def test_few_samples_say_nothing():
    assert trend(samples(lambda lives: lives * MIB, FEWEST - 1)) is None
    assert trend(samples(lambda lives: lives * MIB, FEWEST)) is not None
