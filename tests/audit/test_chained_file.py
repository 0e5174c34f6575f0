"""A chained file goes on where it ended, begins anew when it is full, and says what it found."""

import json
import os
import resource
import signal
from pathlib import Path

import pytest
from tests.audit.trails import TrailDirectory, killed, record

from csiproxy.audit import chain, files
from csiproxy.audit.chained_file import Missed, bring_to_disk
from csiproxy.audit.key import Key


@pytest.fixture
def trail(tmp_path: Path) -> TrailDirectory:
    return TrailDirectory(tmp_path / "t")


def events(trail: TrailDirectory) -> list[dict]:
    return [line for line in map(json.loads, trail.lines()) if "event" in line]


def test_lines_are_numbered_from_one_and_end_with_a_checkpoint(trail):
    trail.write(range(3))
    written = [json.loads(line) for line in trail.lines()]
    assert [line["seq"] for line in written] == [1, 2, 3, 4, 5]
    assert (written[0]["event"], written[0]["number"]) == ("file", 1)
    assert (written[-1]["event"], written[-1]["covers"]) == ("checkpoint", 4)
    assert os.stat(trail.path).st_mode & 0o777 == 0o600


def test_checkpoints_come_every_so_many_lines_and_are_shown_to_others(trail):
    trail.write(range(20))
    checkpoints = [line for line in events(trail) if line["event"] == "checkpoint"]
    assert [line["seq"] for line in checkpoints] == [9, 18, 24]
    assert [json.loads(line)["covers"] for line in trail.signed] == [8, 17, 23]


def test_nothing_new_needs_no_checkpoint(trail):
    file = trail.open()
    file.write(record(1))
    file.checkpoint()
    at = file.position
    file.checkpoint()
    assert file.position == at
    file.close()


def test_it_goes_on_after_an_end_and_says_so(trail):
    trail.write([1])
    trail.write([2])
    written = [json.loads(line) for line in trail.lines()]
    assert [line["seq"] for line in written] == list(range(1, 7))
    assert [line.get("event") for line in written] == [
        "file",
        None,
        "checkpoint",
        "resumed",
        None,
        "checkpoint",
    ]
    assert "finding" not in written[3]


def test_it_goes_on_after_a_kill_between_any_two_steps(tmp_path):
    """The head says that a line is under way, then the line comes, then the head says that it is there."""
    for step in range(3):
        trail = TrailDirectory(tmp_path / str(step))
        file = trail.open()
        file.write(record(1))
        line, position = chain.forge(file.position, record(2))
        file._head.begins(position)
        if step >= 1:
            os.write(file._descriptor, line)
        if step >= 2:
            file._head.ends()
        killed(file)
        successor = trail.open()
        assert successor.finding == ""
        successor.close()
        resumed = [line for line in events(trail) if line["event"] == "resumed"]
        assert [line["seq"] for line in resumed] == [3 if step == 0 else 4]


def test_a_torn_line_is_ended_and_told(trail):
    file = trail.open()
    line, position = chain.forge(file.position, record(1))
    file._head.begins(position)
    os.write(file._descriptor, line[:30])
    killed(file)
    trail.write([2])
    lines = trail.lines()
    assert lines[1] == line[:30] + b"\n"
    assert json.loads(lines[2])["torn"] == 30


def test_what_somebody_did_meanwhile_is_said(trail):
    trail.write([1, 2])
    trail.replace(trail.lines()[:2])
    file = trail.open()
    assert "it ends at record 2, but record 4 had been written" in file.finding
    file.close()
    assert json.loads(trail.lines()[2])["finding"] == file.finding


def test_a_head_that_is_missing_is_said(trail):
    trail.write([1])
    os.remove(trail.head_path)
    file = trail.open()
    assert "its head is missing" in file.finding
    file.close()
    assert json.loads(trail.lines()[3])["seq"] == 4


def test_a_trail_without_a_chain_is_put_aside(trail):
    Path(trail.path).write_text('{"rpc":"/v1.Disk/Rescan"}\n')
    Path(f"{trail.path}.unchained").write_text("older\n")
    file = trail.open()
    assert file.finding == ""
    file.close()
    assert Path(f"{trail.path}.unchained-1").read_text() == '{"rpc":"/v1.Disk/Rescan"}\n'
    assert json.loads(trail.lines()[0])["number"] == 1


def test_a_full_file_is_put_aside_and_the_oldest_go(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=2000, kept=2)
    trail.write(range(60))
    numbers = [file.number for file in files.archives(trail.path)]
    assert len(numbers) == 2
    header = json.loads(trail.lines()[0])
    assert (header["event"], header["number"]) == ("file", numbers[-1] + 1)
    for file in files.archives(trail.path):
        assert os.path.getsize(file.path) < 3000
        last = files.tail(file.path).last
        assert b'"event":"checkpoint"' in last.text


def test_a_kill_between_putting_aside_and_beginning_anew_loses_nothing(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=2000)
    trail.write(range(5))
    os.replace(trail.path, f"{trail.path}.1")
    trail.write([5])
    assert json.loads(trail.lines()[0])["number"] == 2
    Path(f"{trail.path}.2").write_bytes(b"".join(trail.lines()))
    Path(trail.path).write_bytes(b"")  # made, and then killed
    trail.write([6])
    assert json.loads(trail.lines()[0])["number"] == 3


def test_a_line_that_does_not_fit_is_taken_back_whole(trail):
    """The size of files is limited for a moment, as a full disk limits them."""
    file = trail.open()
    file.write(record(1))
    size = os.path.getsize(trail.path)
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, previous[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            file.write(record(2))
        assert os.path.getsize(trail.path) == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)
        signal.signal(signal.SIGXFSZ, ignored)
    file.write(record(3))
    file.close()
    written = [json.loads(line) for line in trail.lines()]
    assert [line.get("number") for line in written if "rpc" in line] == [1, 3]
    assert [line["seq"] for line in written] == [1, 2, 3, 4]


def test_a_place_that_cannot_be_opened_raises(tmp_path):
    trail = TrailDirectory(tmp_path / "t")
    os.mkdir(trail.path)
    with pytest.raises(OSError):
        trail.open()


def test_a_new_key_signs_from_then_on(trail):
    trail.write([1])
    other = Key.read(b"22" * 32)
    file = trail.open(other)
    file.close()
    assert json.loads(trail.lines()[-1])["key"] == other.id


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
def test_a_file_that_is_taken_away_while_it_is_written_is_missed_at_the_next_line(trail, how):
    told: list[Missed] = []
    file = trail.open(missed=told.append)
    file.write(record(1))
    if how == "removed":
        os.remove(trail.path)
    else:
        os.rename(trail.path, f"{trail.path}.bak")
    if how == "replaced":
        Path(trail.path).write_bytes(Path(f"{trail.path}.bak").read_bytes())
    file.write(record(2))
    file.write(record(3))
    file.close()
    assert told == [Missed(1, 1, 2, removed=how == "removed")]
    written = [json.loads(line) for line in trail.lines()]
    assert [line["seq"] for line in written] == [3, 4, 5, 6]
    assert written[0] | told[0].facts() | {"number": 2} == written[0]
    assert [line.get("number") for line in written[1:3]] == [2, 3]
    assert (written[0].get("found"), Path(f"{trail.path}.strange").exists()) == (
        ("audit.jsonl.strange", True) if how == "replaced" else (None, False)
    )


def test_a_file_that_is_taken_away_is_missed_though_nothing_more_is_written(trail):
    file = trail.open()
    file.write(record(1))
    os.remove(trail.path)
    bring_to_disk(file.seal())
    assert json.loads(trail.lines()[0])["missed"] == 1
    os.remove(trail.path)
    file.close()
    assert json.loads(trail.lines()[0])["missed"] == 2


def test_while_the_place_of_a_trail_is_gone_nothing_is_written_and_nothing_lost(tmp_path):
    told: list[Missed] = []
    trail = TrailDirectory(tmp_path / "t")
    file = trail.open(missed=told.append)
    file.write(record(1))
    (tmp_path / "t").rename(tmp_path / "away")
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            file.write(record(2))
    (tmp_path / "t").mkdir()
    file.write(record(2))
    file.close()
    written = [json.loads(line) for line in trail.lines()]
    assert [line.get("missed") for line in written] == [1, None, None]
    assert [line["seq"] for line in written] == [3, 4, 5]
    assert told == [Missed(1, 1, 2, removed=False)]


def test_files_keep_their_numbers_after_one_was_taken_away(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=2000)
    file = trail.open()
    os.remove(trail.path)
    file.write(record(1))
    file.close()
    trail.write(range(20))
    assert [file.number for file in files.archives(trail.path)][:2] == [2, 3]
    assert json.loads(trail.lines()[0])["number"] == files.archives(trail.path)[-1].number + 1
