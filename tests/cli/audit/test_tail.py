"""csi-proxy audit tail shows the last lines, and those that come."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from tests.audit.trails import TrailDirectory, killed, record
from tests.running import until

from csiproxy.audit.files import archives


def test_calls_and_events_are_shown_a_line_each(trail, run):
    code, shown = run("tail", trail)
    assert code == 0
    lines = shown.splitlines()
    assert len(lines) == 6
    assert lines[1].partition("  ")[2].startswith("start  pid=1")
    assert lines[2] == "2026-01-31 12:00:00  v1.Disk/PartitionDisk  disk_number=1  OK  [pid 7 uid 0]"


def test_so_many_lines_as_are_asked_for_or_the_records_themselves(trail, run):
    _, shown = run("tail", trail, "-n", "2", "-o", "json")
    assert [json.loads(line)["seq"] for line in shown.splitlines()] == [5, 6]


def test_full_files_count(tmp_path, run):
    trail = TrailDirectory(tmp_path / "t", largest=1500)
    trail.write(range(30))
    _, shown = run("tail", trail.path, "-n", "1000", "-o", "json")
    numbers = [json.loads(line)["seq"] for line in shown.splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_is_no_record_or_would_move_a_terminal_is_shown_harmlessly(trail, run):
    with open(trail, "ab") as file:
        file.write(b"\x1b[2Jjunk\n" + b'{"event":"x\\u001b[2J"}\n' + b'{"torn')
    _, shown = run("tail", trail)
    assert "\x1b" not in shown
    assert shown.splitlines()[-2].startswith("? ")


@contextmanager
def followed(trail):
    """A follower of a trail, and the numbers of what it showed."""
    command = [sys.executable, "-m", "csiproxy", "audit", "tail", "-f", "-o", "json", trail.path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as follower:
        try:
            yield follower, (json.loads(line)["seq"] for line in follower.stdout)
        finally:
            follower.kill()


def test_it_follows_over_the_beginning_of_a_new_file_until_ctrl_c(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=3000)
    file = trail.open()
    with followed(trail) as (follower, shown):
        seen = [next(shown)]
        for number in range(60):
            file.write(record(number))
            while seen[-1] < file.position.seq:
                seen.append(next(shown))
        killed(file)
        assert seen == list(range(1, file.position.seq + 1))
        follower.send_signal(signal.SIGINT)
        until(lambda: follower.poll() is not None)
    assert follower.returncode == 130


def test_files_that_are_filled_between_two_looks_are_shown_whole(tmp_path):
    trail = TrailDirectory(tmp_path / "t", largest=3000)
    file = trail.open()
    file.write(record(0))
    with followed(trail) as (follower, shown):
        seen = [next(shown), next(shown)]
        follower.send_signal(signal.SIGSTOP)
        for number in range(100):
            file.write(record(number))
        killed(file)
        assert len(archives(trail.path)) > 2
        follower.send_signal(signal.SIGCONT)
        while seen[-1] < file.position.seq:
            seen.append(next(shown))
    assert seen == list(range(1, file.position.seq + 1))
