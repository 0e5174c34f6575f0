"""The flags of ``csi-proxy serve`` about the audit trail."""

import argparse
from collections.abc import Callable
from typing import Final

from csiproxy.auditing import COPIES, AuditSettings

_MIB: Final = 1024 * 1024
_LARGEST: Final = 1 << 20
_MOST_FILES: Final = 100_000


def add(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    group = parser.add_argument_group("audit trail")
    group.add_argument(
        "--audit-log",
        default="-",
        metavar="FILE|-",
        help="append one line of JSON for every RPC and every change of the service to FILE (made readable "
        "for you alone), chained and signed, or to the log; secrets are never in it; default: -",
    )
    group.add_argument(
        "--audit",
        choices=("optional", "required"),
        default="optional",
        help="what becomes of calls while the trail cannot be written: they go on and records are held as "
        "long as there is room, or they are refused before they run; default: optional",
    )
    group.add_argument(
        "--audit-key",
        default="",
        metavar="FILE",
        help="the key that signs the trail, made when missing, which nobody else may be able to read; "
        "default: FILE.key beside --audit-log",
    )
    group.add_argument(
        "--audit-copy",
        choices=COPIES,
        action="append",
        default=[],
        help="send every record to this log, too; may be repeated",
    )
    group.add_argument(
        "--audit-log-max-size",
        type=_number(0, _LARGEST),
        default=64,
        metavar="MIB",
        help="size from which on a new file is begun, 0 for never; default: 64",
    )
    group.add_argument(
        "--audit-log-files",
        type=_number(1, _MOST_FILES),
        default=16,
        metavar="N",
        help="how many full files are kept (FILE.1, FILE.2, …); default: 16",
    )


def settings(given: argparse.Namespace) -> AuditSettings:
    """What the flags say."""
    return AuditSettings(
        log=given.audit_log,
        key=given.audit_key,
        required=given.audit == "required",
        copies=tuple(dict.fromkeys(given.audit_copy)),
        largest=given.audit_log_max_size * _MIB,
        kept=given.audit_log_files,
    )


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is no number from {least} to {most}")
        return value

    return number
