"""The log flags of Go programs (klog), as operators of the Go csi-proxy write them.

https://pkg.go.dev/k8s.io/klog/v2: one dash or two, ``-name=value`` or ``-name value``, booleans with ``=``
only.  Where the log goes is obeyed.  The rest is taken and has no effect: every RPC has its audit record
whatever the verbosity, and lines have no headers.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_MIB: Final = 1024 * 1024
_TRUE: Final = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE: Final = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_BOOLEANS: Final = frozenset(
    (
        "add_dir_header",
        "alsologtostderr",
        "legacy_stderr_threshold_behavior",
        "logtostderr",
        "one_output",
        "skip_headers",
        "skip_log_headers",
    )
)
_VALUES: Final = frozenset(
    (
        "alsologtostderrthreshold",
        "log_backtrace_at",
        "log_dir",
        "log_file",
        "log_file_max_size",
        "stderrthreshold",
        "v",
        "vmodule",
    )
)
_OBEYED: Final = frozenset(("alsologtostderr", "log_dir", "log_file", "log_file_max_size", "logtostderr"))
_FILE: Final = "csi-proxy.log"
_LARGEST: Final = 64 * _MIB


class BadFlag(ValueError):
    """A log flag has a value that it cannot have; the text says which."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where the log goes: a file ("" for none), standard error, or both.

    ``largest`` is the size in bytes from which on a new file is begun, 0 for never.
    """

    file: str = ""
    stderr: bool = True
    largest: int = _LARGEST


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a command line: the log, the arguments that are no log flags, and the operator's
    warnings."""

    log: Log
    rest: tuple[str, ...]
    warnings: tuple[str, ...]


def boolean(text: str) -> bool | None:
    """What Go's ParseBool makes of a text; None where it fails."""
    return True if text in _TRUE else False if text in _FALSE else None


def take(argv: Sequence[str]) -> Taken:
    """Take the log flags out of ``argv``; raise BadFlag.

    A name with an underscore that is not known is a newer klog's: it is dropped with a warning, because a
    release must not fail to start over a log flag.
    """
    given: dict[str, str] = {}
    rest: list[str] = []
    warnings: list[str] = []
    arguments = list(argv)
    while arguments:
        argument = arguments.pop(0)
        found = re.fullmatch(
            r"--?(v|[a-z]+(?:_[a-z]+)+|vmodule|logtostderr|alsologtostderr\w*|stderrthreshold)(=(.*))?",
            argument,
            re.S,
        )
        if found is None:
            rest.append(argument)
            continue
        name, equals, value = found.groups()
        if not equals:
            value = "true"
            if name not in _BOOLEANS and arguments and (name in _VALUES or not arguments[0].startswith("-")):
                value = arguments.pop(0)
            elif name in _VALUES:
                raise BadFlag(f"the flag -{name} needs a value: write -{name}=…")
        if name in _BOOLEANS | _VALUES:
            given[name] = value
        else:
            warnings.append(f"the flag -{name} is not known and has no effect")
    idle = sorted(given.keys() - _OBEYED)
    if idle:
        listed = ", ".join(f"-{name}" for name in idle)
        warnings.append(f"log flags without effect here: {listed} (the audit trail has every call)")
    return Taken(_log(given), tuple(rest), tuple(warnings))


def _log(given: dict[str, str]) -> Log:
    stderr = _flag(given, "logtostderr", default=True)
    directory = given.get("log_dir", "")
    file = given.get("log_file") or (os.path.join(directory, _FILE) if directory else "")
    largest = given.get("log_file_max_size", "")
    if largest and not re.fullmatch(r"[0-9]{1,9}", largest):
        raise BadFlag(f"the flag -log_file_max_size is a number of megabytes, not '{largest}'")
    return Log(
        file="" if stderr else file,
        stderr=stderr or not file or _flag(given, "alsologtostderr", default=False),
        largest=int(largest) * _MIB if largest else _LARGEST,
    )


def _flag(given: dict[str, str], name: str, *, default: bool) -> bool:
    if name not in given:
        return default
    value = boolean(given[name])
    if value is None:
        raise BadFlag(f"the flag -{name} is true or false, not '{given[name]}'")
    return value
