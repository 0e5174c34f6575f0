"""What does a node serve?  One connection to each endpoint shows it."""

from collections.abc import Iterable

from csiproxy.api.contract import Contract
from csiproxy.api.versions import CONTRACTS
from csiproxy.client.routes import by_preference
from csiproxy.client.transport import Transport


def served(transport: Transport, contracts: Iterable[Contract] = CONTRACTS) -> tuple[str, ...]:
    """The versions that are served (``disk/v1``), by group, each group's preferred one first.

    PermissionDenied where an endpoint is served and may not be opened.
    """
    found = [contract for contract in by_preference(contracts) if transport.reaches(contract.endpoint)]
    return tuple(contract.name for contract in sorted(found, key=lambda contract: contract.group))
