"""VARIANTs both ways, against the page on numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import CimError
from csiproxy.host.cim import Instance
from csiproxy.host.schema import INTEGERS
from csiproxy.windows.cim_values import TYPE_MISMATCH, from_variant, to_variant


class Thing:
    """Stands for a COM object: values are told from objects by what they are not."""


THING = Thing()


def read(found, class_name):
    assert found is THING
    return Instance(class_name, "k", {})


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (None, "uint64", None), ("18446744073709551615", "uint64", (1 << 64) - 1), ("0x10", "uint64", 16),
        ("-5", "sint64", -5), (7, "uint64", 7), (-1, "uint32", 0xFFFFFFFF), (-(1 << 31), "uint32", 1 << 31),
        (65535, "uint16", 65535), (-1, "char16", 65535), (67, "char16", 67), (255, "uint8", 255),
        (True, "boolean", True), ("x", "string", "x"), ("20260101000000.000000+000", "datetime",
         "20260101000000.000000+000"), ((2, None), "uint16[]", (2, None)), ((), "string[]", ()),
        (["a"], "string[]", ("a",)), (memoryview(b"\x01\xff"), "uint8[]", (1, 255)),
        (b"\x02", "uint8[]", (2,)),
        (THING, "MSFT_Disk", Instance("MSFT_Disk", "k", {})), ((THING,), "MSFT_Disk[]",
         (Instance("MSFT_Disk", "k", {}),)), ("instance of MSFT_Disk {}", "MSFT_Disk", None),
    ],
)  # fmt: skip
def test_what_wmi_gives_is_a_value_of_the_type(value, kind, expected):
    assert from_variant(value, kind, read) == expected


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "uint64"), ("", "uint32"), (1.5, "uint32"), (True, "uint32"), (256, "uint8"),
        (1 << 40, "sint32"),
        ("18446744073709551616", "uint64"), (1, "string"), (1, "boolean"), ("x", "uint16[]"), (1, "uint16[]"),
        (("x",), "uint16[]"), (THING, "string"), (1, "MSFT_Disk"),
    ],
)  # fmt: skip
def test_what_the_type_cannot_hold_is_a_mismatch(value, kind):
    with pytest.raises(CimError) as failure:
        from_variant(value, kind, read)
    assert failure.value.hresult == TYPE_MISMATCH


@given(st.data(), st.sampled_from(sorted(INTEGERS)))
def test_every_number_comes_back_as_it_went(data, kind):
    value = data.draw(st.integers(*INTEGERS[kind]))
    given_ = to_variant(value, kind)
    assert isinstance(given_, str) is (kind in ("uint64", "sint64"))
    if isinstance(given_, int):
        assert -(1 << 31) <= given_ < 1 << 31
    assert from_variant(given_, kind, read) == value


@pytest.mark.parametrize("value", [True, False, "x", ""])
def test_the_rest_goes_as_it_is(value):
    assert to_variant(value, "boolean" if isinstance(value, bool) else "string") is value


def test_an_array_goes_element_by_element():
    assert to_variant((1, 1 << 63), "uint64[]") == ["1", str(1 << 63)]
