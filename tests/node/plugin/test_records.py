import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.node.plugin.capability import Kind, Use
from csiproxy.node.plugin.records import Record, Records, Source, Target

RECORD = Record(
    "v", r"C:\staging", Use("SINGLE_NODE_WRITER"), Source(Kind.SMB, share=r"\\server\share"), volume="w",
    staged=True, targets=(Target(r"C:\target", Use("SINGLE_NODE_WRITER"), read_only=True),),
)  # fmt: skip


def test_what_was_put_is_there_in_the_next_life(tmp_path):
    Records(str(tmp_path / "s")).put(RECORD)
    assert Records(str(tmp_path / "s")).get("v") == RECORD
    Records(str(tmp_path / "s")).remove("v")
    assert Records(str(tmp_path / "s")).get("v") is None


@given(volume=st.text(max_size=128))
def test_an_id_may_hold_anything(tmp_path_factory, volume):
    directory = str(tmp_path_factory.getbasetemp() / "any")
    records = Records(directory)
    records.put(Record(volume, "p", Use("m"), Source(Kind.DISK)))
    assert records.get(volume).volume_id == volume
    records.remove(volume)
    assert os.listdir(directory) == []


def test_targets_are_known_in_any_spelling():
    assert RECORD.target("c:\\TARGET\\") == RECORD.targets[0]
    assert RECORD.without_target(r"c:\target").targets == ()
    assert RECORD.with_target(RECORD.targets[0]).targets == RECORD.targets


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "use": 3}', '{"format": 1, "use": {}}']
)
def test_what_is_no_record_is_passed_over_and_left(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    records = Records(str(tmp_path))
    records.put(RECORD)
    assert Records(str(tmp_path)).get("v") == RECORD
    assert (tmp_path / "x.json").read_text() == text


def test_what_a_killed_plugin_was_writing_is_swept_away(tmp_path):
    (tmp_path / "x.json.new").write_text("{")
    Records(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_others_with_the_same_source_are_found(tmp_path):
    records = Records(str(tmp_path))
    records.put(RECORD)
    records.put(Record("w", "p", Use("m"), Source(Kind.DISK)))
    assert [r.volume_id for r in records.others("w", lambda source: source.kind is Kind.SMB)] == ["v"]
    assert not list(records.others("v", lambda source: source.kind is Kind.SMB))


def test_no_field_of_a_record_could_hold_a_secret(tmp_path):
    Records(str(tmp_path)).put(RECORD)
    [file] = tmp_path.iterdir()
    assert set(json.loads(file.read_text())["source"]) == {
        "kind", "partition", "share", "portal_address", "portal_port", "iqn", "portal_added",
    }  # fmt: skip
