"""A registrar as a process, beside a driver in this one."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from csiproxy.csi import address
from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.csi.calling import Caller

KUBELETS_PATH = r"C:\var\lib\kubelet\plugins\disk.csi.example\csi.sock"


def command(directory: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "csiproxy", "registrar", f"--csi-address=unix://{directory}/csi.sock",
        f"--plugin-registration-path={directory}/reg", f"--kubelet-registration-path={KUBELETS_PATH}", *more,
    ]  # fmt: skip


@contextmanager
def registrar(directory: Path, *more: str):
    """Start one and wait until kubelet may call; gives its process."""
    ready, told = os.pipe()
    process = subprocess.Popen(
        [*command(directory, *more), f"--ready-fd={told}"], pass_fds=[told], stderr=subprocess.PIPE, text=True
    )
    os.close(told)
    try:
        with os.fdopen(ready, "rb") as reader:
            assert reader.read() == b"READY\n", process.stderr.read()
        yield process
    finally:
        process.kill()
        process.wait(30)
        process.stderr.close()


def registration_socket(directory: Path, driver: str = "disk.csi.example") -> Path:
    return directory / "reg" / f"{driver}-reg.sock"


def kubelet(directory: Path) -> Caller:
    """Kubelet's end of the registration socket."""
    return Caller(address.channel(str(registration_socket(directory))), wire.DESCRIPTOR)
