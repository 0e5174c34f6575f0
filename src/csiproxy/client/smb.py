r"""Group smb: global mappings, through which every process and container of the node reaches a share."""

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

_GROUP = "smb"


class SmbCalls:
    """The calls."""

    @Rpc
    def new_smb_global_mapping(
        self, remote_path: str, *, local_path: str = "", username: str = "", password: str = ""
    ) -> Call[None]:
        r"""Map ``\\server\share`` for the whole node and, if given, make ``local_path`` a link to it.

        ``remote_path`` may go on below the share; the whole share is mapped.  InvalidArgument,
        PermissionDenied (credentials refused), FailedPrecondition (1219: in use with other credentials),
        Unavailable (the server does not answer); AlreadyExists (something is at ``local_path``).
        """
        fields = {
            "remote_path": remote_path,
            "local_path": local_path,
            "username": username,
            "password": password,
        }
        return Call(_GROUP, "NewSmbGlobalMapping", nothing, fields, repeatable=not local_path)

    @Rpc
    def remove_smb_global_mapping(self, remote_path: str) -> Call[None]:
        """Remove the mapping of a share; one that has gone is success.

        The Go csi-proxy ends it even where links still lead to it; count them first.
        """
        return Call(_GROUP, "RemoveSmbGlobalMapping", nothing, {"remote_path": remote_path})


class Smb(SmbCalls, Synchronous):
    """The SMB mappings of a node."""


class AsyncSmb(SmbCalls, Asynchronous):
    """The SMB mappings of a node, for asyncio."""
