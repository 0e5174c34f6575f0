"""Every RPC of every version has an operation of exactly its parameters and result."""

from collections.abc import Iterator

import pytest
from tests.emulated import EmulatedNode

from csiproxy.api.versions import CONTRACTS, Contract
from csiproxy.operations import Operations
from csiproxy.server.route import misfits


@pytest.fixture(scope="module")
def operations(tmp_path_factory) -> Iterator[Operations]:
    node = EmulatedNode(tmp_path_factory.mktemp("node"))
    yield node.operations()
    node.close()


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_every_rpc_has_an_operation_of_its_shape(operations: Operations, contract: Contract) -> None:
    assert list(misfits(contract, operations)) == []
