"""Values as the scripting layer has them, against the page on numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator.automation import AutomationError, Byte, Short
from csiproxy.emulator.swbem_values import Wbem, from_scripting, to_scripting
from csiproxy.host.cim import Instance
from csiproxy.host.schema import INTEGERS

DISK = Instance("MSFT_Disk", "k", {})


def there(value, kind):
    return to_scripting(value, kind, lambda instance: ("object", instance))


def back(value, kind):
    return from_scripting(value, kind, lambda value: value[1] if isinstance(value, tuple) else None)


@pytest.mark.parametrize(
    ("value", "kind", "expected", "made"),
    [
        (None, "uint64", None, type(None)),
        (True, "boolean", True, bool),
        ("x", "string", "x", str),
        (5, "uint8", 5, Byte),
        (67, "char16", 67, Short),
        (65535, "char16", -1, Short),
        (65535, "uint16", 65535, int),
        ((1 << 31) - 1, "uint32", (1 << 31) - 1, int),
        (1 << 31, "uint32", -(1 << 31), int),
        ((1 << 32) - 1, "uint32", -1, int),
        (5, "uint64", "5", str),
        ((1 << 64) - 1, "uint64", str((1 << 64) - 1), str),
        (-5, "sint64", "-5", str),
        ((1, 2), "uint16[]", (1, 2), tuple),
        ((), "string[]", (), tuple),
        (DISK, "MSFT_Disk", ("object", DISK), tuple),
    ],
)
def test_a_program_gets_what_the_page_says(value, kind, expected, made):
    assert (there(value, kind), type(there(value, kind))) == (expected, made)


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("123", "uint64", 123), ("0x10", "uint64", 16), ("7", "uint32", 7), (5.0, "uint64", 5),
        (-1, "uint32", 0xFFFFFFFF), (-1, "uint16", 0xFFFF), (-1, "boolean", True), (0, "boolean", False),
        ([1, "2"], "uint16[]", (1, 2)), (None, "boolean", None), ("", "string", ""),
        (("object", DISK), "MSFT_Disk", DISK),
    ],
)  # fmt: skip
def test_a_program_may_give_what_means_the_same(value, kind, expected):
    assert back(value, kind) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "uint64"), ("", "uint32"), ("1.5", "uint32"), (1.5, "uint32"), (True, "uint32"), (256, "uint8"),
        (1 << 64, "uint64"), ("18446744073709551616", "uint64"), (-129, "uint8"), (1, "string"),
        ("true", "boolean"), (1, "uint16[]"), (["x"], "uint16[]"), ([0] * 5000, "uint16[]"),
        ("x", "MSFT_Disk"), (object(), "string"), (object(), "MSFT_Disk"), (float("nan"), "uint32"),
        (float("inf"), "uint32"),
    ],
)  # fmt: skip
def test_what_a_type_cannot_be_is_a_mismatch(value, kind):
    with pytest.raises(AutomationError) as failure:
        back(value, kind)
    assert failure.value.hresult == Wbem.TYPE_MISMATCH


@given(st.data(), st.sampled_from(sorted(INTEGERS)))
def test_every_number_comes_back_as_it_went(data, kind):
    value = data.draw(st.integers(*INTEGERS[kind]))
    assert back(there(value, kind), kind) == value
