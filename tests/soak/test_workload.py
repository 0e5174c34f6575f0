"""What a workload has written is compared byte by byte."""

import pytest
from tests.soak.plan import File
from tests.soak.workload import differences, write

FILES = (File("f", 5000, "1"), File("d/g", 100, "2"), File("empty", 0, "3"))


@pytest.fixture
def pod(tmp_path):
    for file in FILES:
        write(tmp_path, file)
    return tmp_path


def test_what_is_as_it_was_written_differs_in_nothing(pod):
    assert differences(pod, FILES) == []
    assert [len(file.content()) for file in FILES] == [5000, 100, 0]


def test_a_file_that_is_written_twice_is_whole(pod):
    write(pod, FILES[1])
    assert differences(pod, FILES) == []


def flip(pod):
    content = bytearray((pod / "f").read_bytes())
    content[4999] ^= 1
    (pod / "f").write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (flip, "f has 5000 bytes, and not the 5000"),
        (lambda pod: (pod / "f").write_bytes(b""), "f has 0 bytes"),
        (lambda pod: (pod / "d" / "g").unlink(), "d/g is lost"),
        (lambda pod: (pod / "stray").touch(), "stray is there"),
        (lambda pod: (pod / "empty").write_text("x"), "empty has 1 bytes"),
    ],
)
def test_every_lost_byte_is_told(pod, harm, told):
    harm(pod)
    [found] = differences(pod, FILES)
    assert found.startswith(told)


def test_a_directory_that_cannot_be_read_is_no_answer(tmp_path):
    with pytest.raises(OSError):
        differences(tmp_path / "none", FILES)
