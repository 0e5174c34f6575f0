"""The filesystem group up to v1beta1: paths carry a context, replies an error text that stays empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from csiproxy.errors import InvalidArgument

if TYPE_CHECKING:
    from csiproxy.api.filesystem import v1beta1_pb2, v2alpha1_pb2

_PATH_CONTEXTS = {0: "PLUGIN", 1: "POD"}
_DIRECTORIES = {"plugins": 0, "pods": 1}
"""Kubelet's directories and their context."""
M = TypeVar("M", "v1beta1_pb2.PathExistsRequest", "v1beta1_pb2.MkdirRequest")


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


def ask_with_context(hub: v2alpha1_pb2.PathExistsRequest | v2alpha1_pb2.MkdirRequest, old: type[M]) -> M:
    """Add the context that the path has."""
    return old(path=hub.path, context=_context_of(hub.path))  # type: ignore[arg-type]  # a number of the enum


def ask_rmdir(
    hub: v2alpha1_pb2.RmdirRequest, old: type[v1beta1_pb2.RmdirRequest]
) -> v1beta1_pb2.RmdirRequest:
    """Add the context that the path has, and move ``force`` to its old number."""
    return old(path=hub.path, context=_context_of(hub.path), force=hub.force)  # type: ignore[arg-type]  # likewise


def hear_path_exists(
    old: v1beta1_pb2.PathExistsResponse, hub: type[v2alpha1_pb2.PathExistsResponse]
) -> v2alpha1_pb2.PathExistsResponse:
    """Move the answer to its new number."""
    return hub(exists=old.exists)


def hear_is_mount_point(
    old: v1beta1_pb2.IsMountPointResponse, hub: type[v2alpha1_pb2.IsSymlinkResponse]
) -> v2alpha1_pb2.IsSymlinkResponse:
    """Move the answer to its new number."""
    return hub(is_symlink=old.is_mount_point)


def _context_of(path: str) -> int:
    r"""The context of a path: POD below kubelet's ``pods``, else PLUGIN.

    The first servers of these versions had a prefix for each and refused a path that came with the other.
    """
    for name in path.replace("/", "\\").lower().split("\\"):
        if name in _DIRECTORIES:
            return _DIRECTORIES[name]
    return 0
