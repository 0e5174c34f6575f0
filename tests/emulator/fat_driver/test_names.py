"""Names survive their entries, and every file gets a short name of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator.fat_driver import names
from csiproxy.emulator.fat_driver.names import LongName

SHORT = b"TEST    TXT"
LETTERS = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"*/:<>?\\|\uffff')
NAMES = st.text(LETTERS, min_size=1, max_size=120).filter(lambda name: name[-1] not in ". ")


def read_back(entries, short=SHORT):
    long = LongName()
    for slot in range(len(entries) // 32):
        long.take(entries[32 * slot : 32 * slot + 32], slot)
    return long.name(short)


@given(NAMES)
def test_a_long_name_survives_its_entries(name):
    assert names.check(name) == name
    assert read_back(names.long_entries(name, SHORT)) == name


@given(NAMES, st.data())
def test_a_long_name_of_another_file_is_nobody_s(name, data):
    entries = names.long_entries(name, SHORT)
    assert read_back(entries, b"OTHER   TXT") is None
    if len(entries) > 32:
        missing = data.draw(st.integers(0, len(entries) // 32 - 1))
        assert read_back(entries[: 32 * missing] + entries[32 * missing + 32 :]) is None


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=6), st.binary(min_size=11, max_size=11))
def test_whatever_is_in_a_directory_is_a_name_or_none(entries, short):
    found = read_back(b"".join(entries), short)
    assert found is None or found


@pytest.mark.parametrize("name", ["", "a.", "a ", "a/b", "a:b", "a\x1fb", "a|b", "con\\x"])
def test_a_name_that_windows_cannot_give_is_refused(name):
    with pytest.raises(OSError):
        names.check(name)


def test_the_longest_name_has_255_code_units():
    assert names.check("x" * 255)
    with pytest.raises(OSError):
        names.check("x" * 254 + "\U0001f600")
    with pytest.raises(OSError):
        names.check("\udcff")


@pytest.mark.parametrize(
    ("name", "short", "exact"),
    [
        ("FILE.TXT", b"FILE    TXT", True),
        ("FILE", b"FILE       ", True),
        ("file.txt", b"FILE~1  TXT", False),
        ("Program Files", b"PROGRA~1   ", False),
        (".profile", b"PROFIL~1   ", False),
        ("a.tar.gz", b"ATAR~1  GZ ", False),
        ("日本", b"__~1       ", False),
    ],
)
def test_short_names_are_windows_own(name, short, exact):
    assert names.short_for(name, lambda _: False) == (short, exact)


def test_names_that_begin_alike_get_different_short_names():
    taken = set()
    for number in range(500):
        short, _ = names.short_for(f"a long name {number}.txt", taken.__contains__)
        assert short not in taken
        taken.add(short)


@pytest.mark.parametrize(
    ("short", "case", "text"),
    [
        (b"FILE    TXT", 0, "FILE.TXT"),
        (b"FILE    TXT", 0x18, "file.txt"),
        (b"\x05ILE       ", 0, "\u03c3ILE"),
    ],
)
def test_a_short_name_is_shown_as_windows_shows_it(short, case, text):
    assert names.short_text(short, case) == text


def test_names_that_differ_in_case_alone_are_one():
    assert names.folded("Straße ÄÖ") == names.folded("sTRAßE äö")
    assert names.folded("ß") != names.folded("SS")
