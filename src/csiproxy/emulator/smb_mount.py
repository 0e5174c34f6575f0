r"""The process that mounts one share: ``python -m csiproxy.emulator.smb_mount MOUNTPOINT``.

Where to log on and as whom comes as one line of JSON on standard input, and nowhere else.  Once the files are
there ``READY`` is written to standard output, or ``FAILED`` with the reason.  The mount ends when standard
input does: with the node, however that ends.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, BinaryIO

from csiproxy.emulator.smb_files import ShareFiles

READY, FAILED = "READY", "FAILED"
TYPE = "csi-proxy-smb"
FUSERMOUNT = "fusermount3"
DEVICE = "/dev/fuse"


class CannotMount(Exception):
    """The share's files cannot be shown on this host; the text says what is missing."""


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
    fuse = _libfuse()
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
    options: dict[str, bool | int] = {"allow_other": True} if _is_root() else {}
    # The kernel is to ask the server every time: others change files there, too.
    options |= {"attr_timeout": 0, "entry_timeout": 0, "negative_timeout": 0}
    try:
        fuse(files, mountpoint, foreground=True, fsname=f"{host}:{login['port']}", subtype=TYPE, **options)
    except RuntimeError as error:
        raise CannotMount(
            f"the kernel refuses the mount (FUSE error {error}): run the node as root, or with {FUSERMOUNT} "
            "(Debian package fuse3)"
        ) from error


def _libfuse() -> Any:
    try:
        from mfusepy import FUSE
    except ImportError as error:
        raise CannotMount("mfusepy is missing: pip install 'csi-proxy[smb]'") from error
    except OSError as error:
        raise CannotMount("libfuse is missing: install the Debian package fuse3") from error
    if not os.path.exists(DEVICE):
        raise CannotMount(f"{DEVICE} is missing: the kernel or the container has no FUSE")
    return FUSE


def _serve(mountpoint: str, orders: BinaryIO, mounted: threading.Event) -> None:
    """Say when the files are there, and take the mount away when there is nobody left to order anything."""
    mounted.wait()
    own = os.stat(mountpoint).st_dev
    _say(READY)
    orders.read()
    # The next node may have mounted the share anew at this place already; that one is not ours to take away.
    if os.stat(mountpoint).st_dev == own:
        unmount(mountpoint)
    # Whoever still has files open there gets errors from now on; nothing was held back here.
    os._exit(0)


def unmount(mountpoint: str) -> None:
    """Take a mount away at once, whoever uses it, also one whose process has died.  None there is fine."""
    command = [FUSERMOUNT, "-u", "-z", "-q", mountpoint]
    try:
        done = subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603
    except FileNotFoundError:
        done = False
    if not done and _is_root():
        subprocess.run(["umount", "-l", mountpoint], check=False, capture_output=True)  # noqa: S603, S607


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.stdin.buffer))
