"""Marks outlive whoever left them, and any text can be one."""

from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import marks


@given(mark=st.text(max_size=300))
def test_a_mark_is_there_from_putting_to_taking(mark, tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("locks"))
    assert not marks.is_there(directory, mark)
    marks.put(directory, mark)
    marks.put(directory, mark)
    assert marks.is_there(directory, mark)
    assert not marks.is_there(directory, mark + "x")
    marks.take(directory, mark)
    marks.take(directory, mark)
    assert not marks.is_there(directory, mark)


def test_clearing_takes_marks_and_nothing_else(tmp_path):
    (tmp_path / "lock").touch()
    marks.put(str(tmp_path), "one")
    marks.put(str(tmp_path), "two")
    marks.clear(str(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["lock"]
