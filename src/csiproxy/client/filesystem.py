r"""Group filesystem: directories and links below kubelet's directory.

Paths are absolute Windows paths (``C:\var\lib\kubelet\…``) on every system; :mod:`csiproxy.mounter` makes
them of what kubelet and Go programs write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

if TYPE_CHECKING:
    from csiproxy.api.filesystem import v2alpha1_pb2

_GROUP = "filesystem"


class FilesystemCalls:
    """The calls."""

    @Rpc
    def path_exists(self, path: str) -> Call[bool]:
        """Whether something is at a path; a link is, whether its target exists or not."""
        return Call(_GROUP, "PathExists", _exists, {"path": path})

    @Rpc
    def mkdir(self, path: str) -> Call[None]:
        """Make a directory and the missing ones above it; one that is there is success.

        AlreadyExists where a file is.
        """
        return Call(_GROUP, "Mkdir", nothing, {"path": path})

    @Rpc
    def rmdir(self, path: str, *, force: bool = False) -> Call[None]:
        """Remove an empty directory or a link; with ``force`` with all it holds, or nothing at all.

        Links and mount points are removed themselves; what they lead to is never entered.  Without ``force``:
        NotFound, FailedPrecondition (not empty).
        """
        return Call(_GROUP, "Rmdir", nothing, {"path": path, "force": force}, repeatable=force)

    @Rpc
    def rmdir_contents(self, path: str) -> Call[None]:
        """Empty a directory.  NotFound; Unimplemented where the node does not serve filesystem v2alpha1."""
        return Call(_GROUP, "RmdirContents", nothing, {"path": path})

    @Rpc
    def create_symlink(self, *, source_path: str, target_path: str) -> Call[None]:
        """Make a link at ``target_path`` that leads to the existing directory ``source_path``.

        NotFound (no source), AlreadyExists (something else is at the target; with the Go csi-proxy, also the
        same link).
        """
        fields = {"source_path": source_path, "target_path": target_path}
        return Call(_GROUP, "CreateSymlink", nothing, fields, repeatable=False)

    @Rpc
    def is_symlink(self, path: str) -> Call[bool]:
        """Whether a path is a link or a mount point whose target exists.

        False for a plain directory and for a link whose target has gone; NotFound where nothing is.
        """
        return Call(_GROUP, "IsSymlink", _is_symlink, {"path": path})


class Filesystem(FilesystemCalls, Synchronous):
    """The directories and links of a node."""


class AsyncFilesystem(FilesystemCalls, Asynchronous):
    """The directories and links of a node, for asyncio."""


def _exists(reply: v2alpha1_pb2.PathExistsResponse) -> bool:
    return reply.exists


def _is_symlink(reply: v2alpha1_pb2.IsSymlinkResponse) -> bool:
    return reply.is_symlink
