"""Tools are run with what they are to know and nothing else, and end with the node."""

import os
import subprocess
import sys

import pytest
from tests.running import until

from csiproxy.emulator.image_store import programs
from csiproxy.errors import Win32Error, WindowsCode

pytestmark = pytest.mark.mounts


def test_a_tool_that_succeeds_and_one_that_fails_are_told_apart():
    assert programs.run(("true",)).code == 0
    assert programs.run(("false",)).code == 1


def test_arguments_reach_a_tool_as_they_are():
    assert programs.run(("printf", "%s|", "a b", "$(id)", "--help", "'")).said == "a b|$(id)|--help|'|"


def test_nothing_of_the_caller_s_environment_reaches_a_tool(monkeypatch):
    monkeypatch.setenv("SECRET", "mellon")
    assert programs.run(("sh", "-c", 'echo "${SECRET-none} $LC_ALL"')).said == "none C.UTF-8"


def test_a_tool_that_is_not_installed_is_named():
    assert programs.find("no-such-tool") is None
    with pytest.raises(Win32Error, match="no-such-tool is not installed") as refusal:
        programs.run(("no-such-tool",))
    assert refusal.value.windows_code == WindowsCode.FILE_NOT_FOUND


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (b"one\ntwo\n\n", "two"),
        (b"", "it gave no reason"),
        (b"\x1b[31mred\xff", "?[31mred\ufffd"),
        (b"x" * 9000, "x" * 1000),
    ],
)
def test_the_last_words_of_a_tool_are_kept_short_and_printable(output, said):
    assert programs.last_words(output) == said


def test_the_first_words_of_a_driver_are_kept_short_and_printable():
    assert programs.first_words(b"\none\n\ntwo\nthree\n") == "one two"
    assert programs.first_words(b"\n") == "it gave no reason"
    assert programs.first_words(b"x" * 9000) == "x" * 1000


def test_a_tool_ends_with_the_node(tmp_path):
    told = tmp_path / "pid"
    command = f"echo $$ > {told}.new; mv {told}.new {told}; exec sleep 60"
    script = f"from csiproxy.emulator.image_store import programs; programs.run(('sh', '-c', {command!r}))"
    node = subprocess.Popen([sys.executable, "-c", script])
    until(told.exists)
    tool = int(told.read_text())
    node.kill()
    node.wait()
    until(lambda: not os.path.exists(f"/proc/{tool}"))
