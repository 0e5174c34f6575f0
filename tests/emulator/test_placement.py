"""Numbers and places for attached disks."""

import pytest

from csiproxy.emulator import placement
from csiproxy.emulator.attachment import Place
from csiproxy.errors import Win32Error


def test_the_lowest_free_number_above_the_system_disk_is_taken():
    assert placement.free_number(None, {0}) == 1
    assert placement.free_number(None, {0, 1, 3}) == 2
    assert placement.free_number(9, {0, 1}) == 9


def test_the_lowest_free_lun_of_the_target_is_taken():
    taken = {Place(1, 0, 0, 0): 1, Place(1, 0, 0, 1): 2, Place(1, 0, 1, 2): 3}
    assert placement.free_place(Place(1, 0, 0, 0), True, taken) == Place(1, 0, 0, 2)
    assert placement.free_place(Place(1, 0, 0, 7), False, taken) == Place(1, 0, 0, 7)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: placement.free_number(1, {1}), 183),
        (lambda: placement.free_number(-1, {}), 87),
        (lambda: placement.free_number(1 << 16, {}), 87),
        (lambda: placement.free_place(Place(1, 0, 0, 0), False, {Place(1, 0, 0, 0): 4}), 183),
        (lambda: placement.free_place(Place(-1, 0, 0, 0), True, {}), 87),
        (lambda: placement.free_place(Place(0, 0, 0, 16384), False, {}), 87),
        (lambda: placement.text("a\0b"), 87),
        (lambda: placement.text("x" * 65), 87),
    ],
)
def test_what_cannot_be_is_refused(call, code):
    with pytest.raises(Win32Error) as caught:
        call()
    assert caught.value.windows_code == code


def test_a_made_up_identifier_is_an_naa_name():
    (identifier,) = placement.made_up_identifiers("0123456789abcdef0123456789abcdef")
    assert identifier.identifier.hex() == "6123456789abcdef0123456789abcdef"
