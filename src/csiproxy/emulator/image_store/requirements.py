"""What the image store needs of the host, and what of it is missing."""

import os
import sys

from csiproxy.emulator.image_store import loop, programs
from csiproxy.errors import HostError

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported

FUSE = "/dev/fuse"
# capabilities(7): mounting, and taking loop devices.
_CAP_SYS_ADMIN = 21

# The Debian package that brings each program.
PACKAGES = {
    "ntfs-3g": ("mkntfs", "ntfs-3g", "ntfsresize", "ntfsfix", "ntfslabel"),
    "dosfstools": ("mkfs.vfat", "fatlabel"),
    "exfatprogs": ("mkfs.exfat", "tune.exfat"),
    "exfat-fuse": ("mount.exfat-fuse",),
    "util-linux": ("setpriv",),
}


def missing() -> list[str]:
    """What is missing, each as an operator can set it right; empty when volumes can be in images."""
    right = [] if _may_mount() else ["the right to mount (run it as root, or with CAP_SYS_ADMIN)"]
    devices = [
        f"the device {device} (load its kernel module, or give it to the container)"
        for device in (FUSE, loop.CONTROL)
        if not _can_be_opened(device)
    ]
    absent = [
        f"{name} (apt-get install {package})"
        for package, names in PACKAGES.items()
        for name in names
        if programs.find(name) is None
    ]
    return [*right, *devices, *absent]


def demand() -> None:
    """HostError that names everything that is missing."""
    found = missing()
    if found:
        raise HostError(
            f"--volumes image needs {'; '.join(found)}; --volumes directory needs nothing of all that"
        )


def _may_mount() -> bool:
    try:
        with open("/proc/self/status") as file:
            effective = next(line for line in file if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return False
    return bool(int(effective.split()[1], 16) >> _CAP_SYS_ADMIN & 1)


def _can_be_opened(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError:
        return False
    return True
