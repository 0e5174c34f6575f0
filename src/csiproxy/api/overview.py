"""The version table as rows for people: ``csi-proxy versions`` and the generated page print them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from csiproxy.api.contract import Contract, Group, Version
from csiproxy.api.endpoints import pipe_name
from csiproxy.api.lifecycle import (
    NOTHING_ANNOUNCED,
    RELEASES,
    EarliestRemoval,
    Lifecycle,
    Release,
    earliest_removal,
)
from csiproxy.api.versions import GROUPS


@dataclass(frozen=True, slots=True)
class RpcRow:
    """An RPC of a version, the operation behind it, and when it was deprecated or removed (empty: never)."""

    name: str
    operation: str
    lifecycle: Lifecycle


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version of a group, served or removed.

    ``fields`` lists the fields (``DiskStatsRequest.diskID``) with a lifecycle of their own; ``kept_until``
    says what the policy promises for a deprecated version and is None for any other.
    """

    contract: str
    stage: str
    endpoint: str
    pipe: str
    service: str
    is_hub: bool
    rpcs: tuple[RpcRow, ...]
    fields: tuple[tuple[str, Lifecycle], ...]
    lifecycle: Lifecycle
    kept_until: EarliestRemoval | None


def versions_table(
    groups: Iterable[Group] = GROUPS, releases: Sequence[Release] = RELEASES
) -> tuple[VersionRow, ...]:
    """Return one row a version, by group, oldest first."""
    return tuple(_row(group, version, releases) for group in groups for version in group.versions)


def _row(group: Group, version: Version, releases: Sequence[Release]) -> VersionRow:
    contract = Contract(group, version)
    members = dict(version.members)
    removed = (name for name in members if "." not in name and name not in version.rpcs)
    deprecated_in = version.lifecycle.deprecated_in
    return VersionRow(
        contract.name,
        contract.stage.value,
        contract.endpoint,
        pipe_name(contract.endpoint),
        contract.service,
        version is group.hub,
        tuple(
            RpcRow(rpc, contract.operation(rpc), members.get(rpc, NOTHING_ANNOUNCED))
            for rpc in (*version.rpcs, *removed)
        ),
        tuple((name, life) for name, life in version.members if "." in name),
        version.lifecycle,
        earliest_removal(contract.stage, deprecated_in, releases) if deprecated_in else None,
    )
