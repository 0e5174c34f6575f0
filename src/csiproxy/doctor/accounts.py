"""Self-tests of what accounts may do."""

import os
import secrets
import sys

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.doctor.ground import DRIVE, Ground
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.windows import folder_guard, privileges


def folders(_: Ground) -> str:
    r"""Asks who can change Program Files, and a new folder in ``C:\``."""
    safe = os.environ.get("PROGRAMFILES", r"C:\Program Files")
    problem = folder_guard.problem_with(safe)
    if problem:
        raise Differs(f"{safe} is called unsafe: {problem}")
    new = f"{DRIVE}csi-proxy-self-test-{secrets.token_hex(4)}"
    os.mkdir(new)
    try:
        problem = folder_guard.problem_with(new)
    finally:
        os.rmdir(new)
    if not problem:
        raise Differs(f"a new folder in {DRIVE} is called safe")
    return f"{safe} is safe; {problem}"


def link_privilege(_: Ground) -> str:
    """Switches the privilege on that making links takes."""
    name = privileges.CREATE_SYMBOLIC_LINK
    if name not in privileges.held():
        raise NotTried(f"this account does not have {name}: run this as an administrator or the system")
    if not privileges.enable(name):
        raise Differs(f"{name} is held and cannot be switched on")
    return f"{name} is on"
