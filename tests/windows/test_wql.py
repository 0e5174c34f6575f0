r"""Query text: whatever the values are, it says what was meant, to a reader of WQL.

The reader is the emulated WMI's, which takes what real programs send.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import wql as reader
from csiproxy.emulator.wql import Associators, Comparison, ObjectPath
from csiproxy.errors import CimError
from csiproxy.host import catalogue
from csiproxy.host.schema import INTEGERS, CimClass
from csiproxy.windows import wql

DISK = catalogue.described("MSFT_Disk")
EVERY = [known for known in catalogue.known() if known.properties]
SPEAKABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)


def value_of(kind: str):
    if kind == "boolean":
        return st.booleans()
    if kind == "string":
        return SPEAKABLE
    if kind == "char16":
        return st.integers(1, 0xD7FF) | st.characters(
            exclude_categories=["Cs"], exclude_characters="\0"
        ).filter(lambda one: ord(one) <= 0xFFFF)
    return st.integers(*INTEGERS[kind])


@given(st.data(), st.sampled_from(EVERY))
def test_a_condition_means_the_same_to_its_reader(data, known: CimClass):
    names = [name for name, kind in known.properties.items() if not kind.endswith("[]")]
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=4))
    where = {name: data.draw(value_of(known.properties[name])) for name in chosen}
    read = reader.parse(wql.select(known, where))
    assert (read.class_name, read.properties) == (known.name, ())
    meant = [
        Comparison(
            name, True, chr(value) if known.properties[name] == "char16" and isinstance(value, int) else value
        )
        for name, value in where.items()
    ]
    assert list(read.conditions) == meant


@given(SPEAKABLE)
def test_a_text_ends_nowhere_but_at_its_end(text):
    query = wql.select(DISK, {"SerialNumber": text, "Number": 1})
    assert reader.parse(query).conditions == (
        Comparison("SerialNumber", True, text),
        Comparison("Number", True, 1),
    )


@pytest.mark.parametrize(
    "text",
    ["'", '"', "\\", "\\\\", "\\'", '\\"', "' OR '1'='1", '" AND Number = 2', "a''b", '""', "%", "_", "[a]"],
)
def test_quotes_and_backslashes_are_no_way_out(text):
    assert reader.parse(wql.select(DISK, {"Path": text})).conditions == (Comparison("Path", True, text),)


@pytest.mark.parametrize(
    "where",
    [
        {"Nothing": 1}, {"Number": "1"}, {"Number": True}, {"IsOffline": 1}, {"Path": 1}, {"Number": -1},
        {"Number": 1 << 32}, {"OperationalStatus": 1}, {"Number = 1 OR Number": 1}, {"": 1}, {"Path": None},
        {"Path": "a\0b"}, {"Path": "\ud800"},
    ],
)  # fmt: skip
def test_what_is_not_in_the_schema_or_cannot_be_said_is_refused(where):
    with pytest.raises(CimError) as failure:
        wql.select(DISK, where)
    assert failure.value.hresult == wql.INVALID_QUERY


@pytest.mark.parametrize("name", ["", "a b", "a;b", "1a", "é", "a\n", "MSFT_Disk WHERE 1=1"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(CimError):
        wql.select(CimClass(name, "", {}, {}), {})
    for association, result, role in (
        (name, "A", ""),
        ("A", name, ""),
        *([("A", "B", name)] if name else []),
    ):
        with pytest.raises(CimError):
            wql.associators("MSFT_Disk='x'", association, result, role)


@given(st.sampled_from([known for known in EVERY if known.key]), SPEAKABLE)
def test_a_path_names_the_key_and_is_read_back(known, key):
    path = wql.object_path(known, key)
    assert reader.parse_path(path) == ObjectPath(known.name, {known.key: key})
    assert wql.key_of(path, known) == key
    query = wql.associators(path, "A", "B", "C")
    assert reader.parse(query) == Associators(reader.parse_path(path), "A", "B", "C", "")


def test_no_role_is_no_condition():
    assert "Role" not in wql.associators("X='a'", "A", "B", "")


@pytest.mark.parametrize(
    "path",
    [
        "MSFT_Disk",
        'MSFT_Disk.ObjectId="a",Number=1',
        "MSFT_Disk.Number=1",
        'MSFT_Volume.ObjectId="a"',
        'x"y',
        "",
    ],
)
def test_a_path_that_is_not_the_key_alone_stays_a_path(path):
    assert wql.key_of(path, DISK) is None
    assert wql.object_path(DISK, wql.RelativePath(path)) == path


def test_a_class_without_a_key_has_no_paths():
    with pytest.raises(CimError):
        wql.object_path(catalogue.described("MSFT_StorageSetting"), "x")
    with pytest.raises(CimError):
        wql.object_path(DISK, "a\0b")
