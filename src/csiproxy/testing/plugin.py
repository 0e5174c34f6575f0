"""The pytest plugin: fixtures with emulated nodes.

``csi_proxy_node`` is one node (:class:`csiproxy.testing.Node`), ``csi_proxy_nodes`` a pair whose disks can be
moved (:class:`csiproxy.testing.NodePair`).  Each test has its own, unless the ini option
``csi_proxy_node_scope`` (class, module, package or session) says that tests share them.  Override the fixture
``csi_proxy_versions`` to serve old versions only::

    @pytest.fixture
    def csi_proxy_versions():
        return ("disk/v1beta2", "volume/v1beta1", "filesystem/v1beta1")

pytest imports this module in every run, so it imports nothing else before a fixture is used.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, cast

import pytest

if TYPE_CHECKING:
    from csiproxy.testing.node import Node
    from csiproxy.testing.pair import NodePair

_Scope = Literal["session", "package", "module", "class", "function"]
_SCOPE = "csi_proxy_node_scope"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini option."""
    parser.addini(_SCOPE, "how long an emulated node of csi-proxy lives: function (default), class, module …")


def _scope(fixture_name: str, config: pytest.Config) -> _Scope:  # noqa: ARG001 - the signature is pytest's
    return cast("_Scope", config.getini(_SCOPE) or "function")


@pytest.fixture(scope=_scope)
def csi_proxy_versions() -> tuple[str, ...]:
    """The versions that the nodes serve, as patterns for ``csi-proxy serve --serve``; () for all."""
    return ()


@pytest.fixture(scope=_scope)
def csi_proxy_node(csi_proxy_versions: tuple[str, ...]) -> "Iterator[Node]":
    """An emulated Windows node with a csi-proxy on it."""
    from csiproxy.testing.node import Node

    with Node.temporary(serve=csi_proxy_versions) as node:
        yield node


@pytest.fixture(scope=_scope)
def csi_proxy_nodes(csi_proxy_versions: tuple[str, ...]) -> "Iterator[NodePair]":
    """Two emulated Windows nodes, to which the same disks can be attached in turn."""
    from csiproxy.testing.pair import NodePair

    with NodePair.temporary(serve=csi_proxy_versions) as pair:
        yield pair
