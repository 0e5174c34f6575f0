"""The log's file on a file system where nothing that is open can be renamed."""

import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.log import RotatingFile

pytestmark = pytest.mark.windows


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_full_files_are_renamed_and_the_oldest_goes(tmp_path: Path) -> None:
    with RotatingFile(str(tmp_path / "log"), 10) as log:
        for number in range(6):
            log.write(b"line %d...\n" % number)
    assert names(tmp_path) == ["log", "log.1", "log.2", "log.3"]
    assert (tmp_path / "log").read_bytes() == b"line 5...\n"
    assert (tmp_path / "log.3").read_bytes() == b"line 2...\n"


def test_a_file_that_somebody_reads_is_written_on_and_begun_anew_later(tmp_path: Path) -> None:
    with RotatingFile(str(tmp_path / "log"), 10) as log:
        log.write(b"line 0...\n")
        with (tmp_path / "log").open("rb"):
            log.write(b"line 1...\n")
        log.write(b"line 2...\n")
    assert (tmp_path / "log").read_bytes() == b"line 2...\n"
    assert (tmp_path / "log.1").read_bytes() == b"line 0...\nline 1...\n"
