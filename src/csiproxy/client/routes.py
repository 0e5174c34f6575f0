"""Which version of a group a call goes to: the newest stable one that the node serves, else the next best."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from csiproxy.api.contract import Contract, VersionName
from csiproxy.api.method import Method
from csiproxy.api.versions import CONTRACTS, Stage
from csiproxy.client.transport import Transport
from csiproxy.errors import Unavailable, Unimplemented

ERROR_CODE: Final = "error_code"
"""The field in which CSIProxyService says how a call ended, 0 for success."""
_RANKS = {Stage.STABLE: 2, Stage.BETA: 1, Stage.ALPHA: 0}


def by_preference(contracts: Iterable[Contract]) -> list[Contract]:
    """Stable versions first, then beta, then alpha; the newest of each stage first."""
    return sorted(
        contracts,
        key=lambda found: (_RANKS[found.stage], VersionName.parse(found.version).age()),
        reverse=True,
    )


@dataclass(frozen=True, slots=True)
class Route:
    """A call's way: the version, its RPC with the conversions, and the gRPC path.

    ``has_error_text``: the reply has the text ``error`` that early versions said failures in;
    ``has_error_code``: it has CSIProxyService's ``error_code``.
    """

    contract: Contract
    method: Method
    path: str
    has_error_text: bool
    has_error_code: bool


class Routes:
    """Finds routes by dialling, and remembers them until they turn out wrong."""

    def __init__(self, transport: Transport, contracts: Iterable[Contract] = CONTRACTS) -> None:
        self._transport = transport
        self._groups: dict[str, list[Contract]] = {}
        for contract in by_preference(contracts):
            self._groups.setdefault(contract.group, []).append(contract)
        self._found: dict[tuple[str, str], Route] = {}  # threads that look at once find the same

    def find(self, group: str, rpc: str) -> Route:
        """The route of an RPC, by its name in the newest version.

        Unavailable when no version of the group is served, Unimplemented when none that is has the RPC.
        """
        route = self._found.get((group, rpc))
        if route is None:
            route = self._find(group, rpc)
            self._found[group, rpc] = route
        return route

    def _find(self, group: str, rpc: str) -> Route:
        served: list[str] = []
        for contract in self._groups.get(group, []):
            own = contract.rpc_for(rpc)
            if self._transport.reaches(contract.endpoint):
                if own is not None:
                    return _route(contract, own)
                served.append(contract.name)
        where = self._transport.where
        if served:
            raise Unimplemented(
                f"the node serves {', '.join(served)} only, without {rpc}: upgrade its csi-proxy, "
                "or do without"
            )
        raise Unavailable(
            f"no version of group {group} is served {where}: start csi-proxy there, or wait for it"
        )

    def forget(self, group: str) -> None:
        """Look again at the next call: another proxy may serve now, with other versions."""
        for key in [key for key in self._found if key[0] == group]:
            self._found.pop(key, None)


def _route(contract: Contract, rpc: str) -> Route:
    path = f"/{contract.service}/{rpc}"
    method = contract.methods()[path]
    fields = set(method.reply.DESCRIPTOR.fields_by_name)
    return Route(contract, method, path, "error" in fields, ERROR_CODE in fields)
