import hashlib

from hypothesis import given
from hypothesis import strategies as st

from csiproxy.host.names import equality_key, printable, same_name, utf16_length

# The $UpCase file, 65,536 little-endian units, that mkntfs of ntfs-3g 2022.10.3 writes (Windows 7's table).
UPCASE_SHA256 = "41c26bc7a12bdaeb26025c93118697c7e3ef81ee048b00fe5cce2a472e0e0742"

ANY_NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NEAR_CASE = st.text(st.sampled_from("aAsSſßıIiİµΜςσΣǅǆǄᾀᾈზკ𐐨𐐀"), max_size=6)


def test_every_unit_is_mapped_as_the_upcase_file_of_ntfs_maps_it():
    table = b"".join(
        ord(equality_key("\u0100" + chr(unit))[1]).to_bytes(2, "little") for unit in range(0x10000)
    )
    assert hashlib.sha256(table).hexdigest() == UPCASE_SHA256


def _swaps(character: str) -> set[str]:
    """A character and its other cases, where going there and back again changes neither."""
    there = {character}
    for other in (character.upper(), character.lower(), character.title(), character.swapcase()):
        if len(other) == 1 and character in (other.lower(), other.upper(), other.title()):
            there.add(other)
    return there


@given(NEAR_CASE | ANY_NAME, st.data())
def test_a_name_in_another_ascii_case_is_the_same_name(name, data):
    swapped = "".join(
        data.draw(st.sampled_from(sorted({letter, letter.swapcase()}))) if letter.isascii() else letter
        for letter in name
    )
    assert same_name(name, swapped)


@given(NEAR_CASE | ANY_NAME, NEAR_CASE | ANY_NAME)
def test_names_are_equal_only_unit_by_unit(one, other):
    if same_name(one, other):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            # Two steps: from one form to the capital, and from the capital to another form (ǆ Ǆ).
            reach = {further for step in _swaps(left) for further in _swaps(step)}
            assert right in reach


@given(NEAR_CASE | ANY_NAME)
def test_equality_is_reflexive_and_the_key_is_its_own_key(name):
    assert same_name(name, name)
    assert equality_key(equality_key(name)) == equality_key(name)


def test_letters_that_look_equal_to_others_are_not_to_ntfs():
    for one, other in (
        ("ß", "SS"), ("ß", "ẞ"), ("ſ", "S"), ("ı", "I"), ("İ", "i"), ("µ", "Μ"), ("ς", "Σ"), ("é", "e\u0301"),
        ("𐐨", "𐐀"), ("K", "\u212a"), ("ა", "Ა"),
    ):  # fmt: skip
        assert not same_name(one, other)


def test_letters_with_a_reversible_capital_are_equal_to_it():
    for one, other in (("é", "É"), ("ÿ", "Ÿ"), ("σ", "Σ"), ("ж", "Ж"), ("ǆ", "Ǆ"), ("ᾀ", "ᾈ"), ("ｆ", "Ｆ")):
        assert same_name(one, other)


@given(st.text(max_size=40))
def test_length_is_counted_in_utf16_units(text):
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


@given(st.text())
def test_what_is_printable_stays_and_the_rest_is_spelt_out(text):
    shown = printable(text)
    assert shown.isprintable()
    assert (shown == text) is text.isprintable()
