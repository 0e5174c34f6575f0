"""Overwrite the memory of what held a secret, before Python gives it to somebody else.

Texts and bytes cannot be changed in Python, so this reaches below it: into an object of CPython that nobody
but the caller has any more, by its count of references.  Where that is not so, or the interpreter is another
one, the object stays as it is and is freed as ever; nothing depends on it.
"""

import sys
from contextlib import suppress
from types import TracebackType

_OWN = 2  # the parameter here, and the argument of getrefcount
_SHORTEST = 2  # of a single character there is one object for everybody
_ASCII_HEAD = sys.getsizeof("") - 1
_WIDE_HEAD = sys.getsizeof(chr(0xE9) * 2) - 3
_BYTES_HEAD = sys.getsizeof(b"") - 1


def wipe(value: str | bytes | bytearray, holders: int = 1) -> bool:
    """Overwrite a value that only ``holders`` names of the caller's refer to; False when it had to stay.

    The value is of no use afterwards: the caller drops it.
    """
    if isinstance(value, bytearray):
        value[:] = bytes(len(value))
        return True
    if (
        sys.implementation.name != "cpython"
        or type(value) not in (str, bytes)
        or len(value) < _SHORTEST
        or sys.getrefcount(value) > holders + _OWN
    ):
        return False
    from ctypes import memset

    at, size = _place(value)
    memset(id(value) + at, 0, size)
    return True


def _place(value: str | bytes) -> tuple[int, int]:
    """Where the characters of an object begin, and how many bytes they have."""
    if isinstance(value, bytes):
        return _BYTES_HEAD, len(value)
    if value.isascii():
        return _ASCII_HEAD, len(value)
    highest = max(value)
    width = 1 if highest <= "\xff" else 2 if highest <= "\uffff" else 4
    return _WIDE_HEAD, len(value) * width


def forget_locals(error: BaseException | None, *, deep: bool = False) -> None:
    """Let go what the functions had that a failure came through; those that still run keep it.

    What the failure was made from loses its way altogether, as a frame keeps what its function was made with.
    With ``deep`` this goes for failures that were being handled, too, of which none may be suspended.
    """
    first = True
    while error is not None:
        step: TracebackType | None = error.__traceback__
        while step is not None:
            with suppress(RuntimeError):  # it still runs
                step.tb_frame.clear()
            step = step.tb_next
        if not first:
            error.__traceback__ = None
        first = False
        error = error.__cause__ or (error.__context__ if deep else None)
