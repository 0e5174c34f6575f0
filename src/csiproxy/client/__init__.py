r"""The Python SDK: a node's storage, through its csi-proxy.

    >>> import csiproxy
    >>> with csiproxy.connect("/run/csi-proxy") as client:  # on Windows without a directory: named pipes
    ...     client.disk.list_disk_ids()

:class:`Client` has one attribute a group; ``client.asynchronous()`` is the same for asyncio; and
``csiproxy.local()`` needs no proxy at all.  A failure is one of the classes of :mod:`csiproxy.errors`.
"""

from typing import TYPE_CHECKING, Any

from csiproxy.client.client import Client, connect, over
from csiproxy.client.csi_proxy_service import (
    Chap,
    DeviceIds,
    DeviceLocation,
    DeviceVolumes,
    FileSystemType,
    IscsiAuthentication,
    PartitionType,
    PathContext,
)
from csiproxy.client.disk import DiskIds, DiskLocation
from csiproxy.client.iscsi import AuthenticationType, TargetPortal
from csiproxy.client.retry import NO_RETRY, Retry
from csiproxy.client.system import Service, ServiceStatus, StartType
from csiproxy.client.transport import Transport
from csiproxy.client.volume import VolumeStats

if TYPE_CHECKING:
    from csiproxy.client.asynchronous import AsyncClient

__all__ = [
    "NO_RETRY",
    "AsyncClient",
    "AuthenticationType",
    "Chap",
    "Client",
    "DeviceIds",
    "DeviceLocation",
    "DeviceVolumes",
    "DiskIds",
    "DiskLocation",
    "FileSystemType",
    "IscsiAuthentication",
    "PartitionType",
    "PathContext",
    "Retry",
    "Service",
    "ServiceStatus",
    "StartType",
    "TargetPortal",
    "Transport",
    "VolumeStats",
    "connect",
    "over",
]


def __getattr__(name: str) -> Any:  # Any: the module system's own signature
    """Import what needs asyncio when it is asked for."""
    if name == "AsyncClient":
        from csiproxy.client.asynchronous import AsyncClient

        return AsyncClient
    raise AttributeError(f"module 'csiproxy.client' has no attribute {name!r}")
