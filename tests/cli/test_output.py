import io
import json

import pytest
from rich.console import Console

from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.output import Output, as_json, table, waiting
from csiproxy.host.names import printable


def rendered(*args, **kwargs) -> str:
    stream = io.StringIO()
    Console(file=stream, width=200).print(table(*args, **kwargs))
    return stream.getvalue()


def test_a_table_lines_up_and_keeps_every_text_whole() -> None:
    lines = rendered(("N", "NAME"), [("1", "[red]x"), ("22", "y" * 90)], right=("N",)).splitlines()
    assert [line.rstrip() for line in lines] == [" N  NAME", " 1  [red]x", "22  " + "y" * 90]


def test_a_terminal_gets_no_control_characters_from_a_disk() -> None:
    assert printable("disk\x1b[2J\n") == r"disk\u{1b}[2J\u{a}"
    assert "\x1b" not in rendered(("SERIAL",), [("\x1b]0;x\x07",)])


def test_people_get_the_text_and_programs_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    Output(json=False).result({"a": 1}, lambda screen: screen.print("text"))
    assert capsys.readouterr().out == "text\n"
    Output(json=True).result({"a": "ü"}, lambda screen: screen.print("text"))
    assert capsys.readouterr().out == '{"a": "ü"}\n'


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "\u202egpj", "a\u2028b", "\u200b", "\x07"])
def test_json_escapes_what_would_drive_a_terminal_and_stays_the_same(text: str) -> None:
    for indent in (None, 2):
        written = as_json({"name": f"ü{text}"}, indent)
        assert json.loads(written) == {"name": f"ü{text}"}
        assert "ü" in written
        assert written.replace("\n", "").isprintable()


def test_sentences_and_failures_escape_it_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    Output().done("disk \x1b[2J")
    Output().failure(Failure(Problem("no \u202e", origin="\x9b")))
    shown = capsys.readouterr()
    assert (shown.out + shown.err).replace("\n", "").isprintable()


def test_what_was_done_is_a_sentence_or_facts(capsys: pytest.CaptureFixture[str]) -> None:
    Output().done("disk 1 is detached", number=1)
    Output(json=True).done("disk 1 is detached", number=1)
    assert capsys.readouterr().out == 'disk 1 is detached\n{"number": 1}\n'


def test_a_failure_goes_to_standard_error_for_people_and_to_standard_output_as_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failure = Failure(Problem("no", next_step="try"), {"error_code": 5})
    Output().failure(failure)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "csi-proxy: no\n  next     try\n")
    Output(json=True).failure(failure)
    shown = capsys.readouterr()
    assert shown.err == ""
    assert json.loads(shown.out)["reply"] == {"error_code": 5}
    assert json.loads(shown.out)["error"]["message"] == "no"


def test_waiting_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting("something"):
        pass
    assert capsys.readouterr() == ("", "")
