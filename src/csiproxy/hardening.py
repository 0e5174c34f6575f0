"""What this process gives up before it serves: rights that nothing it does needs."""

import sys
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class Hardening:
    """What was given up, and what is left, by name."""

    given_up: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def harden() -> Hardening:
    """Give up what is not needed.  Raise OSError where the system does not let go of it.

    On Windows: all privileges of the account but those that storage takes.  On Linux, where an emulated node
    is served: the way to more rights by executing a program (PR_SET_NO_NEW_PRIVS); a node that runs already
    keeps its own.
    """
    if sys.platform == "win32":
        from csiproxy.windows import privileges

        given_up = privileges.keep_only(privileges.NEEDED)
        return Hardening(tuple(given_up), tuple(sorted(privileges.held())))
    elif sys.platform == "linux":  # noqa: RET505  mypy tells platforms apart by branches only
        import ctypes
        import os

        if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return Hardening(("new privileges by execve",))
    else:
        return Hardening()
