"""Who sits on an endpoint before the proxy does, or would connect as another account.

(Named pipes are squatted in tests/wine and tests/rpc/test_pipe_listener.py, on Windows.)
"""

import os
import socket
import stat
import subprocess
import sys
from contextlib import suppress

from tests.attack.suite import Attack, Result
from tests.attack.target import Own, Target

from csiproxy.testing.processes import ProcessFailed

_NOBODY = 65534
_CONNECT = f"""
import os, socket, sys
os.setgid({_NOBODY}); os.setuid({_NOBODY})
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except OSError as error:
    print(error.errno)
else:
    print("in")
"""


def other_accounts(target: Target, tries: int, seed: int) -> Result:
    """Another account can neither connect nor list the endpoints."""
    result = Result()
    if sys.platform == "win32" or os.getuid() != 0:
        return Result(skipped="needs root, to become another account")
    for path in (target.socket(contract) for contract in target.contracts()):
        result.tries += 1
        mode = os.stat(path).st_mode
        if mode & 0o077:
            result.wrong(f"{path} can be used by others: {stat.filemode(mode)}")
        told = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _CONNECT, path], capture_output=True, text=True, check=False
        )
        if told.stdout.strip() == "in" or told.returncode:
            result.wrong(f"{path}: another account got {told.stdout or told.stderr}")
        if result.tries >= tries:
            break
    return result


def taken_names(own: Own, tries: int, seed: int) -> Result:
    """What lies at a socket's place when the proxy starts: a live server is left, a link never followed."""
    result = Result()
    outside = os.path.join(own.ground.directory, "outside")
    with open(outside, "w") as file:
        file.write("kept")
    contracts = own.target.contracts()
    own.stop()
    live, planted, stale = (own.target.socket(contract) for contract in contracts[:3])
    for target in (outside, os.path.join(own.ground.directory, "nowhere"), own.ground.directory):
        result.tries += 1
        _put_away(planted)
        os.symlink(target, planted)
        _must_not_start(own, result)
    _put_away(planted)
    with open(outside) as file:
        if file.read() != "kept" or os.path.lexists(os.path.join(own.ground.directory, "nowhere")):
            result.wrong("a planted link was followed: what is behind it has changed")
    result.tries += 2
    with socket.socket(socket.AF_UNIX) as squatter, socket.socket(socket.AF_UNIX) as dead:
        for path, one in ((live, squatter), (stale, dead)):
            _put_away(path)
            one.bind(path)
        squatter.listen()
        dead.close()
        own.start()
        if _is_served(live, squatter):
            result.wrong("a live server's socket was taken from it")
        if not own.target.call(contracts[2].name, "ListDiskLocations").done:
            result.wrong("a dead server's socket was not replaced")
        own.stop()
    _put_away(live)
    own.start()
    return result


def _put_away(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _must_not_start(own: Own, result: Result) -> None:
    """Where a link lies in the way, the operator has to look."""
    try:
        own.start()
    except ProcessFailed:
        return
    own.stop()
    result.wrong("the proxy started over a planted link")


def _is_served(path: str, squatter: socket.socket) -> bool:
    """Whether somebody else than the squatter answers at its place."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        squatter.settimeout(5)
        try:
            squatter.accept()[0].close()
        except TimeoutError:
            return True
    return False


ATTACKS = (
    Attack("sockets: other accounts", "nobody else gets in", other_accounts),
    Attack("sockets: squatted names", "never taken, never followed", run_own=taken_names, spoils=True),
)
