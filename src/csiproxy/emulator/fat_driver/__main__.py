"""Mount a FAT32 volume and serve it until it is unmounted, or until SIGTERM or SIGINT."""

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence

from csiproxy.emulator.fat_driver import fuse
from csiproxy.emulator.fat_driver.calls import Calls
from csiproxy.emulator.fat_driver.tree import Tree
from csiproxy.emulator.fat_driver.volume import Volume


def main(arguments: Sequence[str] | None = None) -> int:
    """``rw|ro DEVICE DIRECTORY``; 0, or 1 when it cannot be mounted."""
    parser = argparse.ArgumentParser(prog="csiproxy.emulator.fat_driver", description=__doc__)
    parser.add_argument("mode", choices=("rw", "ro"))
    parser.add_argument("device")
    parser.add_argument("directory")
    given = parser.parse_args(arguments)
    try:
        run(given.device, given.directory, read_only=given.mode == "ro")
    except OSError as error:
        sys.stderr.write(f"{given.device} cannot be mounted as FAT32: {error.strerror or error}\n")
        return 1
    return 0


def run(device: str, directory: str, *, read_only: bool) -> None:
    """Mount and serve.  OSError when it cannot be mounted."""
    stop, stopper = socket.socketpair()
    stopper.setblocking(False)
    signal.set_wakeup_fd(stopper.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    opened = os.open(device, os.O_RDONLY if read_only else os.O_RDWR)
    try:
        volume = Volume(opened, read_only=read_only)
        calls = Calls(Tree(volume))
        try:
            connection = fuse.mount(device, directory, read_only=read_only, block=512)
            fuse.serve(connection, calls.table(), stop.fileno())
        finally:
            calls.close()
    finally:
        os.close(opened)


if __name__ == "__main__":
    sys.exit(main())
