import json
import subprocess
import sys
from pathlib import Path

import pytest

from csiproxy.testing.workload import FILE, RECORD_BYTES, Corrupt, Writer, checksum, record


def test_every_record_has_the_same_length_and_another_text() -> None:
    records = [record(number) for number in range(100)]
    assert {len(one) for one in records} == {RECORD_BYTES}
    assert len(set(records)) == 100


def test_a_whole_journal_has_a_checksum(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(record(0) + record(1))
    records, digest = checksum(str(tmp_path))
    assert records == 2
    assert len(digest) == 64


@pytest.mark.parametrize(
    "data", [record(1), record(0) + record(2), record(0)[:-1], record(0) + b"\0" * RECORD_BYTES]
)
def test_a_journal_that_is_not_as_written_is_corrupt(data: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(data)
    with pytest.raises(Corrupt):
        checksum(str(tmp_path))


def test_a_writer_that_meets_an_error_says_so(tmp_path: Path) -> None:
    writer = Writer(str(tmp_path / "missing"))
    writer.start()
    writer.finish()
    assert writer.cycles == 0
    assert writer.problem.startswith("FileNotFoundError")


def test_what_one_process_writes_another_verifies(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "csiproxy.testing.workload"]
    wrote = subprocess.run(
        [*command, "write", tmp_path], input="report\nfinish\n", stdout=subprocess.PIPE, check=True, text=True
    )
    first, last = map(json.loads, wrote.stdout.splitlines())
    assert first["problem"] == last["problem"] == ""
    assert last["records"] == last["cycles"] >= first["cycles"]
    read = subprocess.run([*command, "verify", tmp_path], stdout=subprocess.PIPE, check=True, text=True)
    assert json.loads(read.stdout)["sha256"] == last["sha256"]


def test_a_workload_goes_on_after_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "csiproxy.testing.workload", "continue", tmp_path]
    records = 0
    for _ in range(2):
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            while True:
                process.stdin.write("report\n")
                process.stdin.flush()
                if json.loads(process.stdout.readline())["cycles"] > records + 2:
                    break
            said = json.loads(process.communicate("finish\n")[0])
        assert said["problem"] == ""
        assert said["records"] == said["cycles"] > records
        records = said["records"]


def test_files_that_are_not_there_are_an_error_of_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "csiproxy.testing.workload", "verify", tmp_path]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=False, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("workload: ")
    assert done.stderr.count("\n") == 1
