"""The files of a trail are found in their order, and their ends are read without reading them whole."""

import pytest

from csiproxy.audit import chain, files
from csiproxy.audit.chain import START
from csiproxy.audit.files import TrailFile


def test_files_are_found_by_number_and_nothing_else_is(tmp_path):
    path = str(tmp_path / "audit.jsonl")
    for name in ("", ".1", ".10", ".9", ".key", ".head", ".01", ".0", ".9.gz", "x.3", ".unchained"):
        (tmp_path / f"audit.jsonl{name}").write_text("")
    (tmp_path / "other.jsonl.4").write_text("")
    assert [file.number for file in files.archives(path)] == [1, 9, 10]
    assert files.all_files(path)[-1] == TrailFile(path, 0)


def test_a_trail_without_a_growing_file_has_its_full_ones(tmp_path):
    (tmp_path / "audit.jsonl.1").write_text("")
    assert [file.number for file in files.all_files(str(tmp_path / "audit.jsonl"))] == [1]


def test_records_are_those_lines_that_are_objects(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(b'{"a":1}\nnothing\n[1]\n' + b"[" * 100_000 + b'\n{"b":2}\n{"torn')
    assert list(files.records(str(path))) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("size", [1, 1000, 64 * 1024, 300_000])
@pytest.mark.parametrize("fragment", [b"", b'{"torn'])
def test_the_end_of_a_file_is_its_last_whole_line_and_what_follows(tmp_path, size, fragment):
    path = tmp_path / "t"
    first, at = chain.forge(START, b'{"a":1}\n')
    last, end = chain.forge(at, b'{"b":"%b"}\n' % (b"x" * size))
    path.write_bytes(first + last + fragment)
    tail = files.tail(str(path))
    assert (tail.last.claim, tail.fragment, tail.size) == (end, fragment, path.stat().st_size)


def test_a_file_of_one_torn_line_has_no_last_one(tmp_path):
    path = tmp_path / "t"
    path.write_bytes(b'{"torn')
    assert files.tail(str(path)) == files.Tail(6, None, b'{"torn')
    path.write_bytes(b"")
    assert files.tail(str(path)) == files.Tail(0, None, b"")
