"""The version table checks itself when it is imported: a typing error in it must not be silent."""

from collections.abc import Iterable, Iterator

from csiproxy.api.contract import Change, Group, VersionName
from csiproxy.api.method import operation_name


class TableError(ValueError):
    """The version table contradicts itself; the text lists every fault."""


def check(groups: Iterable[Group]) -> None:
    """Raise :class:`TableError` unless every row of the table makes sense."""
    groups = tuple(groups)
    faults = [f"{group.name}: {fault}" for group in groups for fault in _faults(group)]
    names = [group.name for group in groups]
    faults += [f"{name}: stands twice" for name in sorted({n for n in names if names.count(n) > 1})]
    if faults:
        raise TableError("; ".join(faults))


def _faults(group: Group) -> Iterator[str]:
    yield from _version_faults(group)
    order = [row.name for row in group.versions]
    misplaced = [change for change in group.changes if change.until not in order[:-1]]
    for change in misplaced:
        if change.until in order:
            yield f"{change.rpc}: until {change.until}, which is the hub and cannot differ from itself"
        else:
            yield f"{change.rpc}: until {change.until}, which is no version of the group"
    if not misplaced:
        for change in group.changes:
            yield from _change_faults(group, change)
        yield from _unlisted_faults(group)


def _version_faults(group: Group) -> Iterator[str]:
    ages = []
    for row in group.versions:
        try:
            ages.append(VersionName.parse(row.name).age())
        except ValueError as error:
            yield str(error)
        if len(set(row.rpcs)) != len(row.rpcs):
            yield f"{row.name} lists an RPC twice"
        for member, life in row.members:
            if "." not in member and (member in row.rpcs) is bool(life.removed_in):
                yield f"{row.name} {member}: an RPC is either removed or listed"
    if not ages:
        yield "has no version"
    if len(set(ages)) != len(ages):
        yield "a version stands twice"
    if ages != sorted(ages):
        yield "versions do not stand from oldest to newest"
    if group.versions and group.versions[-1].lifecycle.removed_in:
        yield "the hub is removed; drop its row"


def _change_faults(group: Group, change: Change) -> Iterator[str]:
    if not any(
        change is group.change(change.rpc, row.name) for row in group.versions if change.rpc in row.rpcs
    ):
        yield f"{change.rpc} until {change.until}: applies to nothing"
    if not (change.hub or _converters(change) or change.own_messages):
        yield f"{change.rpc} until {change.until}: changes nothing"
    if change.own_messages and (change.hub or _converters(change)):
        yield f"{change.rpc} until {change.until}: its own messages need no hub and no converter"
    hub_operations = {operation_name(rpc) for rpc in group.hub.rpcs}
    if change.own_messages and (change.operation or operation_name(change.rpc)) in hub_operations:
        yield f"{change.rpc} until {change.until}: its own messages cannot serve the hub's operation"
    if change.operation and not change.own_messages:
        yield f"{change.rpc} until {change.until}: another operation needs its own messages"
    if bool(change.request) != bool(change.ask) or bool(change.reply) != bool(change.hear):
        yield f"{change.rpc} until {change.until}: what servers convert, callers have to convert back"
    if change.hub == change.rpc:
        yield f"{change.rpc} until {change.until}: hub repeats the name"


def _converters(change: Change) -> bool:
    return any((change.request, change.reply, change.ask, change.hear))


def _unlisted_faults(group: Group) -> Iterator[str]:
    for row in group.versions:
        for rpc in row.rpcs:
            change = group.change(rpc, row.name)
            there = rpc if change is None else change.hub or rpc
            if not (change and change.own_messages) and there not in group.hub.rpcs:
                yield f"{row.name} {rpc}: the hub has no {there}"
