"""The flags about the audit trail say where it is kept, and wrong ones are told."""

import pytest

from csiproxy import flags
from csiproxy.auditing import AuditSettings

HOST = ("--host", "emulator:x")


def test_without_flags_the_trail_is_in_the_log_and_optional():
    assert flags.parse(HOST).audit == AuditSettings("-", "", False, (), 64 << 20, 16)


def test_flags_are_taken():
    given = flags.parse(
        (
            *HOST,
            *("--audit-log", "/a", "-audit-key=/k", "--audit", "required", "--audit-log-max-size", "0"),
            *("--audit-log-files", "3", "--audit-copy", "syslog", "--audit-copy", "journald"),
            *("--audit-copy", "syslog"),
        )
    )
    assert given.audit == AuditSettings("/a", "/k", True, ("syslog", "journald"), 0, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--audit", "sometimes"),
        ("--audit-copy", "nowhere"),
        ("--audit-log-files", "0"),
        ("--audit-log-max-size", "-1"),
        ("--audit-log-max-size", "²"),
    ],
)
def test_a_wrong_one_is_told(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        flags.parse((*HOST, *wrong))
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err
