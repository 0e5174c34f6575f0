"""csi-proxy audit verify says whether a trail is as it was written."""

import json


def test_a_trail_as_it_was_written_is_said_to_be(trail, run):
    code, shown = run("verify", trail)
    assert code == 0
    assert shown == "6 records, 1 file, 1 checkpoint: as they were written\n"


def test_what_was_done_to_it_is_shown_with_its_place(trail, run):
    lines = trail.read_text().splitlines(keepends=True)
    trail.write_text("".join(lines[:2] + lines[3:]))
    code, shown = run("verify", trail)
    assert code == 1
    assert f"{trail}:3: record 3 is missing before record 4" in shown
    assert "NOT as they were written, findings: 1" in shown
    code, shown = run("verify", trail, "-o", "json")
    document = json.loads(shown)
    assert (code, document["intact"], document["findings"][0]["first"]) == (1, False, 3)


def test_key_and_head_may_be_elsewhere(trail, run, tmp_path):
    key, head = tmp_path / "k", tmp_path / "h"
    trail.with_name("audit.jsonl.key").rename(key)
    trail.with_name("audit.jsonl.head").rename(head)
    code, shown = run("verify", trail)
    assert code == 1
    assert "nothing shows that the service wrote these records" in shown
    assert "nothing shows that none are missing at the end" in shown
    code, shown = run("verify", trail, "--key", key, "--head", head)
    assert (code, "note" in shown) == (0, False)


def test_a_trail_without_key_and_head_is_taken_by_its_chain_alone_where_that_is_asked_for(trail, run):
    trail.with_name("audit.jsonl.key").unlink()
    trail.with_name("audit.jsonl.head").unlink()
    code, shown = run("verify", trail, "-o", "json")
    document = json.loads(shown)
    assert (code, document["intact"], len(document["findings"])) == (1, False, 2)
    code, shown = run("verify", trail, "--unsigned")
    assert code == 0
    assert "NOT PROVEN: that the service wrote these records, as no signature was looked at" in shown
    assert "NOT PROVEN: that none are missing at the end, as there is no head" in shown
    assert "6 records, 1 file, 1 checkpoint: one follows the other; more is not proven" in shown
    code, shown = run("verify", trail, "--unsigned", "-o", "json")
    document = json.loads(shown)
    assert (code, document["intact"], len(document["unproven"])) == (0, True, 2)


def test_a_wrong_key_or_head_is_told(trail, run, tmp_path):
    other = tmp_path / "other"
    other.write_text("11" * 32)
    code, shown = run("verify", trail, "--key", other)
    assert (code, "which is not given" in shown) == (1, True)
    other.write_text("no key")
    code, shown = run("verify", trail, "--key", other)
    assert (code, "name another one with --key" in shown) == (1, True)
    code, shown = run("verify", trail, "--head", other)
    assert (code, "name another one with --head" in shown) == (1, True)


def test_a_trail_that_is_not_there_is_a_wrong_command_line_unless_its_head_is(trail, run, tmp_path):
    code, shown = run("verify", tmp_path / "nothing")
    assert (code, "there is no trail" in shown) == (2, True)
    code, shown = run("verify", tmp_path / "missing" / "nothing")
    assert code == 2
    trail.unlink()
    code, shown = run("verify", trail)
    assert (code, f"{trail}: records 1 to 6 are missing at the end" in shown) == (1, True)
