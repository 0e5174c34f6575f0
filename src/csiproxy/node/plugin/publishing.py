"""A staged volume at a workload's path: a link to the staging path."""

from csiproxy.client import Client
from csiproxy.errors import CsiProxyError, FailedPrecondition
from csiproxy.mounter.answers import is_refusal
from csiproxy.mounter.links import is_live_link, remove_link


def publish(client: Client, staging_path: str, target_path: str) -> None:
    """Make the target path a link to the staging path: two calls.

    A staging path that leads nowhere is refused: a workload would write onto the node's own drive.  What
    stands at the target path already is replaced if it is an empty directory or a link, and refused
    otherwise.
    """
    if not is_live_link(client, staging_path):
        raise FailedPrecondition(f"no volume is at {staging_path}: stage it first")
    try:
        client.filesystem.create_symlink(source_path=staging_path, target_path=target_path)
    except CsiProxyError as error:
        if not is_refusal(error) or not client.filesystem.path_exists(target_path):
            raise
        remove_link(client, target_path)
        client.filesystem.create_symlink(source_path=staging_path, target_path=target_path)


def unpublish(client: Client, target_path: str) -> None:
    """Remove the link: one call.  A directory with something in it is left alone and refused."""
    remove_link(client, target_path)
