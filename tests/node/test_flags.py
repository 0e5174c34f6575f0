import argparse

import pytest

from csiproxy.node import flags


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("500ms", 0.5), ("1m30s", 90), ("1.5h", 5400), ("2m", 120)]
)
def test_durations_are_read_as_go_reads_them(text, seconds):
    assert flags.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "s", "-1s", "1 s", "0s", "25h", "1d", "1sx"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        flags.duration(text)


def test_flags_may_have_one_dash_as_in_go():
    assert flags.two_dashes(["-csi-address=x", "--timeout=1s", "-v=5", "value"]) == [
        "--csi-address=x", "--timeout=1s", "-v=5", "value",
    ]  # fmt: skip


def test_an_address_of_something_else_is_refused():
    with pytest.raises(argparse.ArgumentTypeError):
        flags.address("tcp://1.2.3.4:5")
