"""The trail of serve is where the operator wants it, or serve says which flag to change."""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.running import until

from csiproxy.audit.key import BadKey
from csiproxy.auditing import AuditSettings, Unusable, open_trail, read_key
from csiproxy.log import Output
from csiproxy.private_file import NotPrivate
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import Beginning, Unrecorded


class Log(Output):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self.lines.append(data)
        return len(data)


def settings(log: object, **changes: object) -> AuditSettings:
    fields = {"key": "", "required": False, "copies": (), "largest": 0, "kept": 16, **changes}
    return AuditSettings(log=str(log), **fields)


def test_the_log_gets_lines_when_there_is_no_file():
    raw = Log()
    audit = open_trail(settings("-"), raw, io.StringIO())
    audit.trail.event("start")
    audit.close()
    assert [json.loads(line)["event"] for line in raw.lines] == ["start"]


def test_a_file_gets_a_key_and_a_head_beside_it_for_its_owner_alone(tmp_path):
    path = tmp_path / "audit.jsonl"
    audit = open_trail(settings(path), Log(), io.StringIO())
    audit.trail.event("start")
    audit.close()
    assert sorted(os.listdir(tmp_path)) == ["audit.jsonl", "audit.jsonl.head", "audit.jsonl.key"]
    assert {os.stat(tmp_path / name).st_mode & 0o777 for name in os.listdir(tmp_path)} == {0o600}
    names = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert names == ["file", "start", "checkpoint"]


def test_a_key_elsewhere_is_used(tmp_path):
    path, key = tmp_path / "audit.jsonl", tmp_path / "keys" / "mine"
    key.parent.mkdir()
    open_trail(settings(path, key=str(key)), Log(), io.StringIO()).close()
    assert not Path(f"{path}.key").exists()
    assert read_key(str(key), create=False).id in path.read_text()


def test_a_device_gets_plain_lines(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    audit = open_trail(settings(tmp_path / "pipe"), Log(), io.StringIO())
    audit.trail.event("start")
    audit.close()
    assert json.loads(os.read(reading, 1000))["event"] == "start"
    os.close(reading)
    assert os.listdir(tmp_path) == ["pipe"]


def test_what_was_done_to_a_trail_is_told_to_the_operator(tmp_path):
    path = tmp_path / "audit.jsonl"
    open_trail(settings(path), Log(), io.StringIO()).close()
    path.write_text("")
    log = io.StringIO()
    open_trail(settings(path), Log(), log).close()
    assert "SECURITY: the audit trail is not as it was left" in log.getvalue()


def test_what_does_not_fit_in_the_file_goes_to_the_log(tmp_path):
    os.symlink("/dev/full", tmp_path / "audit")
    raw = Log()
    audit = open_trail(settings(tmp_path / "audit"), raw, io.StringIO())
    audit.trail.event("start")
    audit.close()
    assert json.loads(raw.lines[0])["event"] == "start"


@pytest.mark.parametrize("name", ["missing/audit", "."])
def test_a_place_that_cannot_be_is_a_flag_to_change(tmp_path, name):
    with pytest.raises(Unusable, match="--audit-log"):
        open_trail(settings(tmp_path / name), Log(), io.StringIO())


def test_a_trail_of_another_process_is_a_flag_to_change(tmp_path):
    first = open_trail(settings(tmp_path / "audit"), Log(), io.StringIO())
    with pytest.raises(Unusable, match="another process"):
        open_trail(settings(tmp_path / "audit"), Log(), io.StringIO())
    first.close()


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "audit.key"
    path.write_text("5a" * 32)
    path.chmod(0o644)
    with pytest.raises(Unusable, match="can forge the audit trail"):
        open_trail(settings(tmp_path / "audit"), Log(), io.StringIO())
    with pytest.raises(NotPrivate):
        read_key(str(path), create=False)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(BadKey, match="name another one with --audit-key"):
        read_key(str(path), create=False)


def test_a_copy_that_fails_is_told_in_the_trail(tmp_path):
    log = io.StringIO()
    audit = open_trail(settings(tmp_path / "audit"), Log(), log)

    class Down:
        def write(self, entry: object) -> None:
            raise OSError(111, "Connection refused")

        def close(self) -> None:
            pass

    audit.trail.copy_to("journald", Down())
    audit.trail.event("start")
    until(lambda: "the copy for journald cannot be written (Connection refused)" in log.getvalue())
    audit.close()
    assert '"event":"audit-copy-failing"' in (tmp_path / "audit").read_text()
    assert audit.trail.lost_by_followers["journald"] >= 1


def test_a_trail_that_is_taken_away_is_told_everywhere(tmp_path):
    path, log = tmp_path / "audit", io.StringIO()
    audit = open_trail(settings(path), Log(), log)
    audit.trail.event("start")
    path.unlink()
    audit.trail.event("stopping")
    until(lambda: "SECURITY: audit: the file 1 of the trail (records 1 to 2) was removed" in log.getvalue())
    audit.close()
    names = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert names == ["file", "stopping", "audit-file-missed", "checkpoint"]
    assert audit.trail.missed == 2


def test_with_a_required_trail_no_call_begins_while_its_place_is_gone(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    audit = open_trail(settings(place / "audit", required=True), Log(), io.StringIO())
    begun = Beginning("a-1", datetime.now(UTC), "e", "/v1.Disk/Rescan", Peer(1, 0), {})
    audit.trail.begin(begun)
    place.rename(tmp_path / "away")
    with pytest.raises(Unrecorded):
        audit.trail.begin(begun)
    place.mkdir()
    audit.trail.begin(begun)
    audit.close()
    assert '"missed":1' in (place / "audit").read_text()


def test_the_configuration_has_a_hash_that_changes_with_it(tmp_path):
    from csiproxy import flags

    hashes = []
    for arguments in ([], ["--allow-reformat"]):
        raw = Log()
        audit = open_trail(settings("-"), raw, io.StringIO())
        audit.started(flags.parse(["--host", "emulator:x", *arguments]))
        audit.close()
        hashes.append(json.loads(raw.lines[0])["configuration_sha256"])
    assert hashes[0] != hashes[1]
