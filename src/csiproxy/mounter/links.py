"""What is done with a path of the node, whatever kind of volume it leads to."""

from csiproxy.client import Client
from csiproxy.errors import CsiProxyError, NotFound
from csiproxy.mounter.answers import is_refusal


def remove_link(client: Client, path: str) -> None:
    """Remove a link, a mount point or an empty directory; what has gone is success.

    What it leads to is not touched, and a directory with something in it is refused.
    """
    try:
        client.filesystem.rmdir(path)
    except NotFound:
        return
    except CsiProxyError as error:
        if not is_refusal(error) or client.filesystem.path_exists(path):
            raise


def is_live_link(client: Client, path: str) -> bool:
    """Whether a link or mount point is at a path, and leads to something."""
    try:
        return client.filesystem.is_symlink(path)
    except CsiProxyError as error:
        if not is_refusal(error):
            raise
        return False
