"""A failure nobody foresaw: told to the operator without secrets, and to the client by a number."""

import os
import traceback
from typing import TextIO

_DEEPEST_FRAMES = 40
_CHAIN = 8  # an exception, what it was raised from, and so on


def report(error: BaseException, where: str, log: TextIO) -> str:
    """Write one report about ``error`` to ``log`` and return the incident's id, which a client can quote.

    The report names the exceptions' classes and where in the program they were raised.  It leaves out
    their texts and every local value: those may be parts of a request, a password for one.
    ``where`` is the endpoint's name.
    """
    incident = os.urandom(6).hex()
    try:
        text = "".join(_lines(error, incident, where))
    except Exception:  # noqa: BLE001 - out of memory or stack: the short form needs little of either
        text = f"incident {incident} on {where}: {type(error).__name__}, and the report about it failed\n"
    try:
        log.write(text)
        log.flush()
    except (OSError, ValueError):
        pass  # the log is full or closed: the audit record still holds the incident's id
    return incident


def _lines(error: BaseException, incident: str, where: str) -> list[str]:
    lines = [f"incident {incident} on {where}: unexpected {_class_name(error)}\n"]
    cause: BaseException | None = error
    for depth in range(_CHAIN):
        if cause is None:
            break
        if depth:
            lines.append(f"  raised while handling {_class_name(cause)}:\n")
        frames = traceback.extract_tb(cause.__traceback__, limit=-_DEEPEST_FRAMES)
        lines.extend(frames.format())
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return lines


def _class_name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
