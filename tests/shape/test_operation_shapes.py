"""Every RPC of every version has an operation of exactly its parameters and result."""

from collections.abc import Iterator

import pytest
from tests.emulated import EmulatedNode

from csiproxy.api.versions import CONTRACTS, Contract
from csiproxy.operations import Operations
from csiproxy.server.route import misfits

# Groups, and RPCs of CSIProxyService, that this program does not have yet.  The list may only shrink.
MISSING_GROUPS = {"smb"}
MISSING_RPCS = {"MountSMBShare", "UnmountSMBShare"}


@pytest.fixture(scope="module")
def operations(tmp_path_factory) -> Iterator[Operations]:
    node = EmulatedNode(tmp_path_factory.mktemp("node"))
    yield node.operations()
    node.close()


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_every_rpc_has_an_operation_of_its_shape(operations: Operations, contract: Contract) -> None:
    found = {line.split(":")[0].rpartition("/")[2]: line for line in misfits(contract, operations)}
    absent = set(contract.rpcs) if contract.group in MISSING_GROUPS else MISSING_RPCS & set(contract.rpcs)
    assert {rpc: line for rpc, line in found.items() if rpc not in absent} == {}
    assert set(found) == absent, "what is there now must leave the lists of what is missing"
    assert all("there is no operation" in line for line in found.values())
