"""FUSE on this host: whether there is one, and how its mounts are taken away.

mfusepy (ISC) speaks to libfuse 3; Debian's package is fuse3.
"""

import os
import subprocess
import sys
from typing import Any

FUSERMOUNT = "fusermount3"
DEVICE = "/dev/fuse"


class CannotMount(Exception):
    """Nothing can be mounted on this host; the text says what is missing."""


def library(extra: str) -> Any:
    """mfusepy's class FUSE; ``extra`` names what of this package brings mfusepy."""
    try:
        from mfusepy import FUSE
    except ImportError as error:
        raise CannotMount(f"mfusepy is missing: pip install 'csi-proxy[{extra}]'") from error
    except OSError as error:
        raise CannotMount("libfuse is missing: install the Debian package fuse3") from error
    if not os.path.exists(DEVICE):
        raise CannotMount(f"{DEVICE} is missing: the kernel or the container has no FUSE")
    return FUSE


def unmount(mountpoint: str) -> None:
    """Take a mount away at once, whoever uses it, also one whose process has died.  None there is fine."""
    command = [FUSERMOUNT, "-u", "-z", "-q", mountpoint]
    try:
        done = subprocess.run(command, check=False, capture_output=True).returncode == 0  # noqa: S603
    except FileNotFoundError:
        done = False
    if not done and is_root():
        subprocess.run(["umount", "-l", mountpoint], check=False, capture_output=True)  # noqa: S603, S607


def is_root() -> bool:
    """Whether this process may mount without help."""
    return sys.platform != "win32" and os.geteuid() == 0
