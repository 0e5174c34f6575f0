"""WMI in a Wine prefix as an emulated node's, and this program's own way to it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.wine.prefix import Prefix, windows_path

from csiproxy.emulator import tcp
from csiproxy.emulator.pool import Pool
from csiproxy.emulator.remote import RemoteSession
from csiproxy.host.cim import Session


@contextmanager
def started(prefix: Prefix, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A program of the Windows Python that has said that it is ready; it is ended with the context."""
    process = prefix.start(prefix.python, *arguments, stderr=subprocess.STDOUT)
    try:
        said = ""
        while "ready" not in said:
            line = process.stdout.readline()
            assert line, f"it ended: {said}"
            said += line
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def standing_in(prefix: Prefix, token_file: Path) -> Iterator["subprocess.Popen[str]"]:
    """The prefix has the WMI of the node whose token file this is."""
    command = ("-m", "csiproxy", "emulator", "com-server", "--node", windows_path(token_file))
    with started(prefix, *command) as process:
        yield process


@contextmanager
def over_com(prefix: Prefix, token_file: Path) -> Iterator[Session]:
    """This program's COM session in the prefix, as a session here; the file is made."""
    with started(prefix, "-m", "tests.wine.cim_wire", windows_path(token_file)):
        pool = Pool(lambda: tcp.dial(str(token_file)))
        yield RemoteSession(pool)
        pool.close()
