import pytest

from csiproxy.cli.demo.screen import Screen


def test_a_step_is_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(plain=True)
    screen.title("A life")
    screen.act("An act")
    with screen.running("disk/v1 Rescan"):
        pass
    screen.row(ok=True, name="disk/v1 Rescan", outcome="x" * 500, seconds=0.0123)
    screen.row(ok=False, name="kill -9", outcome="it\x1blives", seconds=1)
    assert capsys.readouterr().out.splitlines() == [
        "",
        "=== A life ===",
        "",
        "An act",
        f"OK      disk/v1 Rescan: {'x' * 500}  [12.3 ms]",
        r"FAILED  kill -9: it\u{1b}lives  [1000.0 ms]",
    ]


def test_what_is_no_terminal_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(plain=False).row(ok=True, name="a", outcome="[red]b", seconds=0)
    assert capsys.readouterr().out == "OK      a: [red]b  [0.0 ms]\n"
