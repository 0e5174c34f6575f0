"""The words of a self-test's end are what programs read."""

from csiproxy.doctor.outcome import Verdict


def test_there_are_three_ends():
    assert [verdict.value for verdict in Verdict] == ["ok", "differs", "not tried"]
