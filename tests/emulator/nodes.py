"""Nodes in processes of their own, and what tests do with any host."""

import os
import signal
import sys

from csiproxy.emulator.connect import connect
from csiproxy.emulator.control import Control
from csiproxy.errors import HostUnreachable
from csiproxy.host import Host


def command(directory: str) -> list[str]:
    """Runs the node of a directory, without the command line around it."""
    return [sys.executable, "-m", "csiproxy.emulator.node", "--state", directory]


class NodeDirectory:
    """The directory of a node that runs only when a test wants it to."""

    def __init__(self, path: str) -> None:
        self.path = path

    def connect(self) -> Host:
        """A proxy's connection; starts the node when it does not run."""
        return connect(self.path, command=command(self.path))

    def control(self) -> Control:
        return Control(self.path)

    def kill(self) -> None:
        """End the node as a crash would, and wait until it is gone."""
        with self.control() as control:
            os.kill(control.process, signal.SIGKILL)
        self.wait_until_gone()

    def stop(self) -> None:
        """Stop the node if it runs, and wait until it is gone."""
        try:
            with self.control() as control:
                control.stop()
        except HostUnreachable:
            return
        self.wait_until_gone()

    def wait_until_gone(self) -> None:
        import fcntl  # tests on Windows load this module, too

        with open(os.path.join(self.path, "node.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)


def data_volume(host: Host, number: int) -> str:
    """Bring a raw disk to one NTFS volume, and return its name."""
    [disk] = host.cim.instances("MSFT_Disk", Number=number)
    assert host.cim.invoke(disk, "Initialize", PartitionStyle=2).return_value == 0
    created = host.cim.invoke(disk, "CreatePartition", UseMaximumSize=True, AssignDriveLetter=False)
    assert created.return_value == 0
    partition = created.instance("CreatedPartition")
    [volume] = host.cim.associated(partition, "MSFT_PartitionToVolume", "MSFT_Volume")
    assert host.cim.invoke(volume, "Format", FileSystem="NTFS", Force=True).return_value == 0
    return volume.text("UniqueId")
