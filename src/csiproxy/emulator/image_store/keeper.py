"""Keep one file system driver: it ends with the node, and nothing of its mount stays behind.

``python keeper.py DIRECTORY PROGRAM [ARGUMENT…]`` runs the driver, which mounts at DIRECTORY and stays in the
foreground.  Its standard input is a pipe that the node holds: when that closes, the driver is told to end,
which writes what it holds.  When it has ended, for whatever reason, its dead mount and the directory go, so
that nobody writes into the host's own file system instead.  The last of what it printed is printed then.  A
driver whose keeper is killed is killed with it.

It is a program by itself, so that starting it costs nearly nothing, and it imports no other module.
"""

import ctypes
import os
import select
import signal
import sys

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported

# linux/prctl.h, sys/mount.h
PR_SET_PDEATHSIG = 1
MNT_DETACH = 2

# How long a driver may take to write what it holds, once nobody can reach it any more (milliseconds).
PATIENCE = 10_000
KEPT_OUTPUT = 2000


def main(arguments: list[str]) -> int:
    """Run to the end of the driver; its exit status, or 1 when a signal ended it."""
    directory, command = arguments[0], arguments[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    # A terminal's Ctrl-C is for the node, which knows in which order things end.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    reader, writer = os.pipe()
    keeper = os.getpid()
    child = os.fork()
    if not child:
        _become(command, writer, keeper, libc)
    os.close(writer)
    output = _watch(child, reader)
    _, status = os.waitpid(child, 0)
    clear(directory, libc)
    os.write(1, output)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 1


def _become(command: list[str], output: int, keeper: int, libc: ctypes.CDLL) -> None:
    """Become the driver."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == keeper:  # else it died before it could be followed
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.execv(command[0], command)  # noqa: S606 - the node's own command
    finally:
        os._exit(127)


def _watch(child: int, reader: int) -> bytes:
    """Wait for the driver's end, or see to it when the node closes the pipe; the end of its output."""
    output = b""
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    poll.register(0, select.POLLIN)
    patience = None
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(patience)}
        if not ready:
            os.kill(child, signal.SIGKILL)
        if reader in ready:
            said = os.read(reader, 1 << 16)
            if not said:
                return output
            output = (output + said)[-KEPT_OUTPUT:]
        if 0 in ready and not os.read(0, 1):
            poll.unregister(0)
            patience = PATIENCE
            os.kill(child, signal.SIGTERM)


def clear(directory: str, libc: ctypes.CDLL) -> None:
    """Take a mount away, dead or alive and however often it is mounted, and its directory."""
    while libc.umount2(os.fsencode(directory), MNT_DETACH) == 0:
        pass
    try:
        os.rmdir(directory)
    except OSError:
        return  # the node cleared it away meanwhile, or something is in it that nobody is to lose


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
