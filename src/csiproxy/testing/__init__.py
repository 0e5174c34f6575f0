"""An emulated Windows node, and a pair of them, for tests of CSI drivers.

With pytest, take the fixtures ``csi_proxy_node`` and ``csi_proxy_nodes`` (:mod:`csiproxy.testing.plugin`,
which pytest finds by itself).  Without, ``with Node.temporary() as node: …``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csiproxy.testing.node import Disk, Node
    from csiproxy.testing.pair import NodePair

__all__ = ["Disk", "Node", "NodePair"]


def __getattr__(name: str) -> Any:  # Any: the module system's own signature
    """Import what is asked for when it is: pytest imports this package in every run."""
    if name in ("Disk", "Node"):
        from csiproxy.testing import node

        return getattr(node, name)
    if name == "NodePair":
        from csiproxy.testing.pair import NodePair

        return NodePair
    raise AttributeError(f"module 'csiproxy.testing' has no attribute {name!r}")
