import os
from pathlib import Path

import pytest

from csiproxy.testing.processes import ProcessFailed, Program, Workload


def test_a_program_that_ends_at_its_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailed, match=r"ended at its start: .*no host"):
        Program("proxy", ["serve", "--host", "nowhere"], str(tmp_path / "log"))


def test_a_killed_program_has_the_status_of_the_signal(short_directory: Path) -> None:
    arguments = ["emulator", "run", "--state", str(short_directory / "n")]
    program = Program("node", arguments, str(short_directory / "log"))
    assert program.kill() == -9
    with pytest.raises(ProcessLookupError):
        os.kill(program.pid, 0)


def test_a_program_stops_in_order(short_directory: Path) -> None:
    arguments = ["emulator", "run", "--state", str(short_directory / "n")]
    program = Program("node", arguments, str(short_directory / "log"))
    assert program.stop() == 0
    assert program.stop() == 0


def test_a_workload_goes_on_until_it_is_told_to_finish(tmp_path: Path) -> None:
    with Workload("write", str(tmp_path), str(tmp_path / "log")) as workload:
        first = workload.go_on_until(3)
        second = workload.go_on_until(first.cycles + 2)
        assert second.cycles > first.cycles
        assert workload.finish().records >= second.cycles
    with Workload("verify", str(tmp_path), str(tmp_path / "log")) as other:
        assert other.result().records >= second.cycles


def test_a_workload_that_meets_an_error_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "journal").touch()  # it makes the file itself
    with (
        Workload("write", str(tmp_path), str(tmp_path / "log")) as workload,
        pytest.raises(ProcessFailed) as failed,
    ):
        workload.go_on_until(1)
    assert "FileExistsError" in str(failed.value)


def test_a_workload_that_has_ended_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    with Workload("verify", str(tmp_path), str(tmp_path / "log")) as workload:
        with pytest.raises(ProcessFailed, match="No such file"):
            workload.result()
        workload.close()
        with pytest.raises(ProcessFailed, match="ended already"):
            workload.report()


def test_no_workload_outlives_its_context(tmp_path: Path) -> None:
    with Workload("write", str(tmp_path), str(tmp_path / "log")) as workload:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(workload.pid, 0)
