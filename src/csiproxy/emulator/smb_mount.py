r"""The process that mounts one share: ``python -m csiproxy.emulator.smb_mount MOUNTPOINT``.

Where to log on and as whom comes as one line of JSON on standard input, and nowhere else.  Once the files are
there ``READY`` is written to standard output, or ``FAILED`` with the reason.  The mount ends when standard
input does: with the node, however that ends.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

from csiproxy.emulator import fuse
from csiproxy.emulator.fuse import CannotMount
from csiproxy.emulator.smb_files import ShareFiles

READY, FAILED = "READY", "FAILED"
TYPE = "csi-proxy-smb"


def main(mountpoint: str, orders: BinaryIO) -> int:
    """Mount, and return when the mount has ended."""
    logging.disable()  # what fails is told to whoever asked for it, through the kernel
    login = json.loads(orders.readline())
    try:
        _mount(mountpoint, login, orders)
    except CannotMount as error:
        _say(f"{FAILED} {error}")
        return 1
    return 0


def _mount(mountpoint: str, login: Mapping[str, Any], orders: BinaryIO) -> None:
    mount = fuse.library("smb")
    import smbclient

    session = {
        "username": login["user"],
        "password": login["password"],
        "port": login["port"],
        "encrypt": True if login["privacy"] else None,
        "auth_protocol": "ntlm",
        "connection_cache": {},
    }
    host = login["host"]
    try:
        smbclient.register_session(host, **session)
    except Exception as error:
        raise CannotMount(f"the server does not take a second session ({type(error).__name__})") from error
    session.pop("auth_protocol")
    mounted = threading.Event()
    files = ShareFiles(smbclient, rf"\\{host}\{login['share']}", session, mounted.set)
    threading.Thread(target=_serve, args=(mountpoint, orders, mounted), daemon=True).start()
    # Everybody on the node may use a global mapping; only root may let them.
    options: dict[str, bool | int] = {"allow_other": True} if fuse.is_root() else {}
    # The kernel is to ask the server every time: others change files there, too.
    options |= {"attr_timeout": 0, "entry_timeout": 0, "negative_timeout": 0}
    try:
        mount(files, mountpoint, foreground=True, fsname=f"{host}:{login['port']}", subtype=TYPE, **options)
    except RuntimeError as error:
        raise CannotMount(
            f"the kernel refuses the mount (FUSE error {error}): run the node as root, or with "
            f"{fuse.FUSERMOUNT} (Debian package fuse3)"
        ) from error


def _serve(mountpoint: str, orders: BinaryIO, mounted: threading.Event) -> None:
    """Say when the files are there, and take the mount away when there is nobody left to order anything."""
    mounted.wait()
    own = os.stat(mountpoint).st_dev
    _say(READY)
    orders.read()
    # The next node may have mounted the share anew at this place already; that one is not ours to take away.
    if os.stat(mountpoint).st_dev == own:
        fuse.unmount(mountpoint)
    # Whoever still has files open there gets errors from now on; nothing was held back here.
    os._exit(0)


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.stdin.buffer))
