"""CSI Proxy for Python: the privileged storage service of a Windows Kubernetes node (KEP-1122).

:func:`connect` gives a client of a node's csi-proxy, :func:`local` one that needs none.
"""

from typing import TYPE_CHECKING, Any

from csiproxy.version import __version__

if TYPE_CHECKING:
    from csiproxy.client.client import connect
    from csiproxy.in_process import local

__all__ = ["__version__", "connect", "local"]


def __getattr__(name: str) -> Any:  # Any: the module system's own signature
    """Import what is asked for when it is: the service, which imports this package, too, needs neither."""
    if name == "connect":
        from csiproxy.client.client import connect

        return connect
    if name == "local":
        from csiproxy.in_process import local

        return local
    raise AttributeError(f"module 'csiproxy' has no attribute {name!r}")
