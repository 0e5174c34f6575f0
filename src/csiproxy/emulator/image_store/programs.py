"""Run the file systems' own tools.

No shell sees a command, and nothing of the caller's environment reaches a tool.  A tool ends with the node:
the kernel kills it when the thread that waits for it dies (setpriv --pdeathsig).
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from csiproxy.errors import Win32Error, WindowsCode

# Debian keeps the tools where ordinary users do not look.
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"
# Labels are text in UTF-8 whatever the node's own locale is.
ENVIRONMENT = {"PATH": SEARCH, "LC_ALL": "C.UTF-8"}

# Formatting and growing touch the file system's tables alone; this is for a host that is very busy (seconds).
PATIENCE = 120.0
_SAID = 1000
_SILENCE = "it gave no reason"
_SETPRIV = "/usr/bin/setpriv"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a tool ended: 0 is success, and ``said`` the end of what it printed."""

    code: int
    said: str


def find(program: str) -> str | None:
    """The path of a program; None when it is not installed."""
    return shutil.which(program, path=SEARCH)


def run(command: Sequence[str]) -> Outcome:
    """Run a command to its end.  One that is not installed is 2, one that does not end 1460."""
    program = find(command[0])
    if program is None:
        raise missing(command[0])
    try:
        done = subprocess.run(  # noqa: S603 - the program is one of ours to run, each argument was checked
            [_SETPRIV, "--pdeathsig", "KILL", "--", program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            cwd="/",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Win32Error(WindowsCode.TIMEOUT, command[0], f"it did not end in {PATIENCE:g} s") from error
    except OSError as error:
        raise Win32Error(
            WindowsCode.NO_SYSTEM_RESOURCES, command[0], f"it cannot be run: {error.strerror}"
        ) from error
    return Outcome(done.returncode, last_words(done.stdout))


def missing(program: str) -> Win32Error:
    """The failure of a program that is not installed (any more)."""
    return Win32Error(WindowsCode.FILE_NOT_FOUND, program, f"{program} is not installed: install it")


def last_words(output: bytes) -> str:
    """The last line of an output that says something, shortened."""
    said = _lines(output)
    return said[-1][-_SAID:] if said else _SILENCE


def first_words(output: bytes) -> str:
    """The first two lines of an output that say something, shortened."""
    return " ".join(_lines(output)[:2])[:_SAID] or _SILENCE


def _lines(output: bytes) -> list[str]:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in lines if line]
