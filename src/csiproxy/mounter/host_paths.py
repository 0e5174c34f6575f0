"""The host-path interface of Kubernetes (HostUtil), through csi-proxy.

What has one answer on every Windows node is answered; what no RPC tells is Unimplemented, with what to do
instead, as kubelet's directory is mounted into a plugin's container, which can look by itself.
"""

from enum import StrEnum
from typing import Final

from csiproxy.client import Client
from csiproxy.errors import NotFound, Unimplemented
from csiproxy.mounter.paths import on_node

NOBODY: Final = -1
"""The owner's number where there are no numbers."""


class FileType(StrEnum):
    """What is at a path, as Kubernetes names it."""

    DIRECTORY = "Directory"
    FILE = "File"
    SOCKET = "Socket"
    BLOCK_DEVICE = "BlockDevice"
    CHAR_DEVICE = "CharDevice"
    UNKNOWN = ""


class HostPaths:
    """Questions about paths of one node."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def path_exists(self, path: str) -> bool:
        """Whether something is at a path; a link whose target has gone is."""
        return self._client.filesystem.path_exists(on_node(path))

    def make_dir(self, path: str) -> None:
        """Make a directory and those above it; one that is there is success."""
        self._client.filesystem.mkdir(on_node(path))

    def get_file_type(self, path: str) -> FileType:
        """Directory for a link or mount point that leads to something, as those lead to directories only.

        NotFound where nothing is; UNKNOWN for anything else, as no RPC tells a directory from a file.
        """
        place = on_node(path)
        if not self._client.filesystem.path_exists(place):
            raise NotFound(f"nothing is at {place}")
        return FileType.DIRECTORY if self._client.filesystem.is_symlink(place) else FileType.UNKNOWN

    def get_device_name_from_mount(self, path: str) -> str:
        """The volume id of what is mounted at a path, also behind links.  NotFound, FailedPrecondition."""
        return self._client.volume.get_volume_id_from_target_path(on_node(path))

    def device_opened(self, path: str) -> bool:  # noqa: ARG002 - the signature is the interface's
        """False: devices have no paths on Windows that could be open."""
        return False

    def path_is_device(self, path: str) -> bool:  # noqa: ARG002 - the signature is the interface's
        """False: devices have no paths on Windows."""
        return False

    def make_rshared(self, path: str) -> None:
        """Nothing: Windows has no mount propagation to switch on."""

    def get_owner(self, path: str) -> tuple[int, int]:  # noqa: ARG002 - the signature is the interface's
        """(-1, -1): Windows' owners have no numbers."""
        return NOBODY, NOBODY

    def get_selinux_support(self, path: str) -> bool:  # noqa: ARG002 - the signature is the interface's
        """False."""
        return False

    def eval_host_symlinks(self, path: str) -> str:
        """Unimplemented: no RPC reads a link."""
        raise Unimplemented(f"no RPC reads links: read {on_node(path)} through the mounted kubelet directory")

    def get_mode(self, path: str) -> int:
        """Unimplemented: Windows has access-control lists."""
        raise Unimplemented(f"{on_node(path)} has an access-control list, no mode")
