"""Times survive FAT as well as FAT can keep them."""

import time

from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator.fat_driver.moments import packed, unpacked

FIRST = int(time.mktime((1980, 1, 1, 0, 0, 0, 0, 0, -1)))
LAST = int(time.mktime((2107, 12, 31, 23, 59, 58, 0, 0, -1)))


@given(st.integers(FIRST, LAST))
def test_a_time_comes_back_to_two_seconds(seconds):
    # An hour that summer time gives twice can come back as its other one.
    assert (seconds - unpacked(*packed(seconds))) % 3600 in (0, 1)


def test_times_beyond_what_fat_can_say_are_its_first_and_last():
    assert unpacked(*packed(0)) == FIRST
    assert unpacked(*packed(1 << 40)) == LAST


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_any_two_numbers_are_some_time(clock, date):
    assert isinstance(unpacked(clock, date), int)
