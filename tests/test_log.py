"""The log: a file that is begun anew, standard error, both."""

import os
import subprocess
import sys
import threading

import pytest

from csiproxy.log import Descriptor, RotatingFile, Several, open_log


def test_a_full_file_is_kept_under_another_name_and_the_oldest_goes(tmp_path):
    path = tmp_path / "log"
    file = RotatingFile(str(path), largest=10)
    for number in range(6):
        file.write(b"line %d\n" % number)
    file.close()
    assert sorted(os.listdir(tmp_path)) == ["log", "log.1", "log.2", "log.3"]
    assert [(tmp_path / name).read_text() for name in ("log", "log.1", "log.2", "log.3")] == [
        "line 5\n",
        "line 4\n",
        "line 3\n",
        "line 2\n",
    ]


def test_a_file_is_appended_to_and_counts_what_it_had(tmp_path):
    path = tmp_path / "log"
    path.write_text("12345678")
    file = RotatingFile(str(path), largest=10)
    file.write(b"abc")
    file.close()
    assert (path.read_text(), (tmp_path / "log.1").read_text()) == ("abc", "12345678")


def test_without_a_limit_nothing_is_begun_anew(tmp_path):
    file = RotatingFile(str(tmp_path / "log"), largest=0)
    for _ in range(100):
        file.write(b"x" * 100)
    file.close()
    assert os.listdir(tmp_path) == ["log"]


def test_a_new_file_is_for_this_account_alone(tmp_path):
    RotatingFile(str(tmp_path / "log"), largest=0).close()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_lines_of_many_threads_are_whole_whatever_file_they_land_in(tmp_path):
    file = RotatingFile(str(tmp_path / "log"), largest=20_000)
    line = b"x" * 99 + b"\n"

    def write() -> None:
        for _ in range(100):
            file.write(line)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    written = b"".join((tmp_path / name).read_bytes() for name in os.listdir(tmp_path))
    assert written == line * 400


def test_one_that_fails_does_not_keep_the_others_from_being_written(tmp_path):
    file = RotatingFile(str(tmp_path / "log"), largest=0)
    reading, writing = os.pipe()
    os.close(reading)
    Several([Descriptor(writing), file]).write(b"kept")
    os.close(writing)
    file.close()
    assert (tmp_path / "log").read_bytes() == b"kept"


def test_text_and_bytes_come_in_the_order_in_which_they_were_written(tmp_path):
    raw, text = open_log(str(tmp_path / "log"), 0, stderr=False)
    raw.write(b"first\n")
    text.write("second ✓\n")
    raw.write(b"third\n")
    text.close()
    assert (tmp_path / "log").read_text(encoding="utf-8") == "first\nsecond ✓\nthird\n"


def test_standard_error_gets_the_same(tmp_path):
    code = (
        "import sys; from csiproxy.log import open_log; "
        "raw, text = open_log(sys.argv[1], 0, stderr=True); text.write('told\\n')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log")], capture_output=True, check=True
    )
    assert ended.stderr == b"told\n" == (tmp_path / "log").read_bytes()


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(OSError):
        open_log(str(tmp_path / "missing" / "log"), 0, stderr=True)
