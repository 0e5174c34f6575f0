"""Queries that programs send, and what is none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import wql
from csiproxy.emulator.wql import Associators, Comparison, ObjectPath, QueryError, Select

SENT = {
    "SELECT * FROM MSFT_Disk": Select("MSFT_Disk", (), ()),
    "select Number, Location from MSFT_Disk": Select("MSFT_Disk", ("Number", "Location"), ()),
    "SELECT IsOffline FROM MSFT_Disk WHERE Number = 1": Select(
        "MSFT_Disk", ("IsOffline",), (Comparison("Number", True, 1),)
    ),
    "SELECT * FROM MSFT_Partition WHERE DiskNumber=1 AND GptType <> '{e3c9}'": Select(
        "MSFT_Partition", (), (Comparison("DiskNumber", True, 1), Comparison("GptType", False, "{e3c9}"))
    ),
    r"SELECT * FROM MSFT_Volume WHERE UniqueId = '\\\\?\\Volume{x}\\'": Select(
        "MSFT_Volume", (), (Comparison("UniqueId", True, "\\\\?\\Volume{x}\\"),)
    ),
    "SELECT * FROM X WHERE a != TRUE and b = false and c = -5 and d = 0x1F": Select(
        "X",
        (),
        (
            Comparison("a", False, True),
            Comparison("b", True, False),
            Comparison("c", True, -5),
            Comparison("d", True, 31),
        ),
    ),
    "SELECT * FROM X WHERE a = 'it''s' AND b = 'it\\'s' AND c = \"it's\" AND d = \"a\"\"b\"": Select(
        "X",
        (),
        (
            Comparison("a", True, "it's"),
            Comparison("b", True, "it's"),
            Comparison("c", True, "it's"),
            Comparison("d", True, 'a"b'),
        ),
    ),
    "SELECT * FROM X WHERE a = 'TRUE' AND b = '1' \r\n": Select(
        "X", (), (Comparison("a", True, "TRUE"), Comparison("b", True, "1"))
    ),
    'ASSOCIATORS OF {Win32_Service.Name="a"}': Associators(ObjectPath("Win32_Service", {"Name": "a"})),
    "associators of {X='}'} where AssocClass=A ResultClass = B resultrole=C Role=D": Associators(
        ObjectPath("X", {"": "}"}), "A", "B", "C", "D"
    ),
}


@pytest.mark.parametrize("text", SENT)
def test_what_programs_send_is_understood(text):
    assert wql.parse(text) == SENT[text]


@pytest.mark.parametrize(
    "text",
    [
        "", "SELECT", "SELECT FROM X", "SELECT * X", "SELECT * FROM", "SELECT * FROM X WHERE",
        "SELECT * FROM X WHERE a", "SELECT * FROM X WHERE a =", "SELECT * FROM X WHERE a = b",
        "SELECT * FROM X WHERE a = 'x", "SELECT * FROM X WHERE a LIKE 'x%'", "SELECT * FROM X WHERE a > 1",
        "SELECT * FROM X WHERE a = 1 OR b = 2", "SELECT * FROM X WHERE (a = 1)", "SELECT * FROM X; DROP",
        "SELECT * FROM X WHERE a = 1 b", "SELECT *, a FROM X", "SELECT a, FROM X", "SELECT * FROM 'X'",
        "SELECT * FROM X WHERE 'a' = 1", "SELECT * FROM X WHERE a = 1.5", "SELECT * FROM X WHERE a = 1x",
        "SELECT * FROM X WHERE a = NULL", "DELETE FROM X", "REFERENCES OF {X='a'}", "ASSOCIATORS OF X='a'",
        "ASSOCIATORS OF {X='a'", "ASSOCIATORS OF {}", "ASSOCIATORS OF {X='a'} WHERE ClassDefsOnly",
        "ASSOCIATORS OF {X='a'} WHERE AssocClass='A'", "ASSOCIATORS OF {X='a'} WHERE Role=A Role=B",
        "SELECT * FROM X WHERE a = '" + "x" * (1 << 16) + "'", "'SELECT' * FROM X",
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused(text):
    with pytest.raises(QueryError):
        wql.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X", ObjectPath("X")),
        ("X=@", ObjectPath("X")),
        ("X='a'", ObjectPath("X", {"": "a"})),
        (r'\\.\root\cimv2:X.A="b",C=3', ObjectPath("X", {"A": "b", "C": 3}, r"\\.\root\cimv2")),
        ("//host/root/cimv2:X", ObjectPath("X", {}, "//host/root/cimv2")),
        (r'X.A="a\\b\"c"', ObjectPath("X", {"A": 'a\\b"c'})),
    ],
)
def test_object_paths_are_read(text, expected):
    assert wql.parse_path(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "1", "X.", "X.A", "X.A=", "X.A=b", 'X.A="b', 'X.A="b",', 'X.A="b" ', 'X.A="b",A="c"', "X=", "X.=1",
     'X.A="b"B="c"', "X Y", r"root\cimv2:X", 'X.A="' + "b" * (1 << 16) + '"'],
)  # fmt: skip
def test_what_is_no_path_is_refused(text):
    with pytest.raises(QueryError):
        wql.parse_path(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for read in (wql.parse, wql.parse_path):
        try:
            read(text)
        except QueryError as error:
            assert re.match("[a-z]", str(error))


@given(st.text(), st.sampled_from("'\""))
def test_a_text_in_quotes_is_the_same_text(text, quote):
    quoted = quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
    found = wql.parse(f"SELECT * FROM X WHERE a = {quoted}")
    assert found.conditions == (Comparison("a", True, text),)
    assert wql.parse_path(f"X.A={quoted}").keys == {"A": text}
