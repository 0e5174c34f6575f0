"""The filesystem group up to v1beta1: paths carry a context, replies an error text that stays empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csiproxy.errors import InvalidArgument

if TYPE_CHECKING:
    from csiproxy.api.filesystem import v1beta1_pb2, v2alpha1_pb2

_PATH_CONTEXTS = {0: "PLUGIN", 1: "POD"}


def path_exists(
    old: v1beta1_pb2.PathExistsRequest, hub: type[v2alpha1_pb2.PathExistsRequest]
) -> v2alpha1_pb2.PathExistsRequest:
    """Drop the context."""
    _check_context(old.context)
    return hub(path=old.path)


def path_exists_reply(
    hub: v2alpha1_pb2.PathExistsResponse, old: type[v1beta1_pb2.PathExistsResponse]
) -> v1beta1_pb2.PathExistsResponse:
    """Move the answer to its old number."""
    return old(exists=hub.exists)


def mkdir(old: v1beta1_pb2.MkdirRequest, hub: type[v2alpha1_pb2.MkdirRequest]) -> v2alpha1_pb2.MkdirRequest:
    """Drop the context."""
    _check_context(old.context)
    return hub(path=old.path)


def rmdir(old: v1beta1_pb2.RmdirRequest, hub: type[v2alpha1_pb2.RmdirRequest]) -> v2alpha1_pb2.RmdirRequest:
    """Drop the context and move ``force`` to its new number."""
    _check_context(old.context)
    return hub(path=old.path, force=old.force)


def is_mount_point_reply(
    hub: v2alpha1_pb2.IsSymlinkResponse, old: type[v1beta1_pb2.IsMountPointResponse]
) -> v1beta1_pb2.IsMountPointResponse:
    """Move the answer to its old number."""
    return old(is_mount_point=hub.is_symlink)


def _check_context(context: int) -> None:
    """Refuse a number that the enum does not have; a known one has no effect, paths are judged alike."""
    if context not in _PATH_CONTEXTS:
        known = " or ".join(f"{name} ({number})" for number, name in _PATH_CONTEXTS.items())
        raise InvalidArgument(f"context {context} is not a PathContext: give {known}")
