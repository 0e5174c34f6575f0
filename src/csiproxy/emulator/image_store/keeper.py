"""Keep one file system driver: it ends with the node, and nothing of its mount stays behind.

``python keeper.py DIRECTORY PROGRAM [ARGUMENT…]`` runs the driver, which mounts where DIRECTORY is hidden and
stays in the foreground.  Its standard input is a pipe that the node holds: when that closes, the driver is
told to end, which writes what it holds.  When it has ended, for whatever reason, its dead mount and the
directory go, so that nobody writes into the host's own file system instead.  The last of what it printed is
printed then.  A driver whose keeper is killed is killed with it.

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

# What a directory that is shown and hidden is called in the one above it, which is renamed for that.
FILES = "files"
_HIDDEN = "."

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


def hidden(directory: str) -> str:
    """Where a directory is while it is hidden."""
    above, name = os.path.split(os.path.dirname(directory))
    return os.path.join(above, _HIDDEN + name, os.path.basename(directory))


def shown_name(name: str) -> str:
    """The name of what is shown or hidden, of either."""
    return name.removeprefix(_HIDDEN)


def hide(directory: str) -> None:
    """Take a directory out of sight, with what is mounted there: at one instant, which no mount point allows.

    One that is not in sight stays as it is.
    """
    _rename(directory, hidden(directory))


def show(directory: str) -> None:
    """Put a hidden directory in its place, with what is mounted there."""
    _rename(hidden(directory), directory)


def _rename(old: str, new: str) -> None:
    try:
        os.rename(os.path.dirname(old), os.path.dirname(new))
    except OSError:
        return  # it is not there, or the other one is: then that one is cleared first


def clear(directory: str, libc: ctypes.CDLL) -> None:
    """Take a mount away, dead or alive and however often it is mounted, and its directory."""
    for _ in range(2):
        hide(directory)
        _clear_hidden(hidden(directory), libc)


def _clear_hidden(place: str, libc: ctypes.CDLL) -> None:
    while libc.umount2(os.fsencode(place), MNT_DETACH) == 0:
        pass
    try:
        os.rmdir(place)
        os.rmdir(os.path.dirname(place))
    except OSError:
        return  # the node cleared it away meanwhile, or something is in it that nobody is to lose


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
