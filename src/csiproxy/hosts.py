"""The hosts whose storage can be managed: the machine that this runs on, or an emulated node."""

import os
import sys

from csiproxy.errors import HostError, Unavailable, Unimplemented
from csiproxy.host import Host


def open_host(emulator: str = "", volumes: str | None = None) -> Host:
    """Open this machine, or the emulated node of a state directory (or whose entrance a file opens).

    A node of a directory is started when none runs, with ``volumes`` as its store of volumes.  Unimplemented
    for a machine that is no Windows, Unavailable for what cannot be reached, started or managed.
    """
    return _emulated(emulator, volumes) if emulator else _this_machine()


def _emulated(directory: str, volumes: str | None) -> Host:
    try:
        if os.path.isfile(directory):
            from csiproxy.emulator.entering import enter

            return enter(directory)
        from csiproxy.emulator.connect import connect

        return connect(directory, volumes=volumes)
    except (HostError, OSError) as error:
        raise Unavailable(
            f"the emulated node in {directory} cannot be reached or started: {error}"
        ) from error


def _this_machine() -> Host:
    if sys.platform == "win32":
        from csiproxy.windows import this_machine

        try:
            return this_machine.host()
        except OSError as error:
            raise Unavailable(f"this machine's storage cannot be managed: {error}") from error
    else:
        raise Unimplemented("this machine is no Windows: name an emulated node, emulator:DIR")
