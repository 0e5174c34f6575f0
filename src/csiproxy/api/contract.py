"""What one version of one API group is: its name, where it is served, and how its messages meet the hub's.

The *hub* of a group is its newest version; every older version is a *spoke*.  Operations speak the hub
alone.  A spoke's RPC that no :class:`Change` names is wire-identical to the hub's RPC of the same name, so
the hub's message classes read its requests and write its replies.

Nothing here imports ``google.protobuf`` before a contract's methods are asked for.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from csiproxy.api.lifecycle import NOTHING_ANNOUNCED, Lifecycle, Lifetime, Stage
from csiproxy.api.method import Method, operation_name

if TYPE_CHECKING:
    from google.protobuf.message import Message

Convert = Callable[..., "Message"]
"""``convert(message, wanted class) -> message of that class``.

The parameters are left open because each converter names its own message classes.
"""

_VERSION_NAME = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
_LOADING = threading.Lock()
_STAGES = {"alpha": Stage.ALPHA, "beta": Stage.BETA, None: Stage.STABLE}
_ORDER = {Stage.ALPHA: 0, Stage.BETA: 1, Stage.STABLE: 2}


@dataclass(frozen=True, slots=True)
class VersionName:
    """A version's name taken apart, in the order of age: v1alpha1 < v1beta1 < v1 < v2alpha1."""

    major: int
    stage: Stage
    minor: int

    @classmethod
    def parse(cls, text: str) -> VersionName:
        """Take ``v2alpha1`` apart; raises :class:`ValueError` for anything that is no version name."""
        match = _VERSION_NAME.fullmatch(text)
        if not match:
            raise ValueError(f'"{text}" is not a version name: give v1alpha1, v1beta1, v1 or the like')
        return cls(int(match[1]), _STAGES[match[2]], int(match[3] or 0))

    def age(self) -> tuple[int, int, int]:
        """Return the key that sorts versions from oldest to newest."""
        return (self.major, _ORDER[self.stage], self.minor)


@dataclass(frozen=True, slots=True)
class Version:
    """A row of the table: one version's RPCs, in the order of its .proto file, and how long it lives.

    ``members`` names RPCs (``DiskStats``) and fields (``DiskStatsRequest.diskID``) that are deprecated or
    removed; one that is removed no longer stands in ``rpcs`` or in the .proto file.
    """

    name: str
    rpcs: tuple[str, ...]
    lifecycle: Lifecycle = NOTHING_ANNOUNCED
    members: tuple[tuple[str, Lifecycle], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """How an RPC of older versions differs from the hub, up to and including the version ``until``.

    ``hub`` is its name in the hub where that differs.  For servers ``request`` converts its request to the
    hub's and ``reply`` the hub's reply to its own; for callers ``ask`` converts the hub's request to its own
    and ``hear`` its reply to the hub's.  An RPC whose *meaning* the hub does not have keeps its
    ``own_messages`` and names its own ``operation`` (else taken from its name).
    """

    rpc: str
    until: str
    hub: str = ""
    request: Convert | None = None
    reply: Convert | None = None
    ask: Convert | None = None
    hear: Convert | None = None
    own_messages: bool = False
    operation: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """An API group: its versions, oldest first (the last is the hub), and where they differ from the hub.

    ``package`` is the proto package with ``{}`` for the version, ``endpoint`` likewise the endpoint's name,
    ``directory`` the Python package below ``csiproxy.api`` that holds the messages.
    """

    name: str
    service: str
    versions: tuple[Version, ...]
    changes: tuple[Change, ...] = ()
    package: str = "{}"
    endpoint: str = ""
    directory: str = ""

    @property
    def hub(self) -> Version:
        """The newest version."""
        return self.versions[-1]

    def module(self, version: str) -> str:
        """Return the dotted name of the module with a version's messages."""
        return f"csiproxy.api.{self.directory or self.name}.{version}_pb2"

    def change(self, rpc: str, version: str) -> Change | None:
        """Return what the table says of an RPC in a version; None: it is the hub's RPC of the same name."""
        order = [row.name for row in self.versions]
        at = order.index(version)
        covering = [c for c in self.changes if c.rpc == rpc and at <= order.index(c.until)]
        return min(covering, key=lambda c: order.index(c.until), default=None)


class Contract:
    """One version of one group.  Equal only to itself; its methods load once, at first use."""

    def __init__(self, table: Group, row: Version) -> None:
        self.group = table.name
        self.version = row.name
        self.name = f"{table.name}/{row.name}"
        self.endpoint = (table.endpoint or f"csi-proxy-{table.name}-{{}}").format(row.name)
        self.service = f"{table.package.format(row.name)}.{table.service}"
        self.stage = VersionName.parse(row.name).stage
        self.lifecycle = row.lifecycle
        self.rpcs = row.rpcs
        self.module = table.module(row.name)
        self._table = table
        self._row = row
        self._methods: Mapping[str, Method] | None = None

    def __repr__(self) -> str:
        return f"<Contract {self.name} {self.service}>"

    def operation(self, rpc: str) -> str:
        """Return the operation that an RPC of this version asks for, without loading any message."""
        change = self._table.change(rpc, self.version)
        if change is None:
            return operation_name(rpc)
        return change.operation or operation_name(change.hub or rpc)

    def rpc_for(self, hub_rpc: str) -> str | None:
        """Return what this version calls an RPC of the hub; None where it has none with that meaning."""
        for rpc in self.rpcs:
            change = self._table.change(rpc, self.version)
            if change is None:
                if rpc == hub_rpc:
                    return rpc
            elif not change.own_messages and (change.hub or rpc) == hub_rpc:
                return rpc
        return None

    def lifetimes(self) -> tuple[Lifetime, ...]:
        """Return what the deprecation policy speaks of here: the version, then its listed members."""
        members = tuple(Lifetime(f"{self.name} {name}", self.stage, life) for name, life in self._row.members)
        return (Lifetime(self.name, self.stage, self.lifecycle), *members)

    def methods(self) -> Mapping[str, Method]:
        """Return the methods by gRPC path, ``/v1beta1.Disk/DiskStats`` and so on.

        The first call imports the messages of this version and of its hub, no others.
        """
        if self._methods is None:
            with _LOADING:
                if self._methods is None:
                    self._methods = MappingProxyType(self._load())
        return self._methods

    def _load(self) -> dict[str, Method]:
        from csiproxy.api.messages import Messages  # here, as protobuf loads at the first call

        own = Messages(self.module)
        hub = Messages(self._table.module(self._table.hub.name))
        methods = {}
        for rpc in self.rpcs:
            change = self._table.change(rpc, self.version) or Change(rpc, until=self.version)
            request, reply = own.classes(rpc)
            spoken = (request, reply) if change.own_messages else hub.classes(change.hub or rpc)
            methods[f"/{self.service}/{rpc}"] = Method(
                rpc,
                self.operation(rpc),
                request,
                reply,
                *spoken,
                change.request,
                change.reply,
                change.ask,
                change.hear,
            )
        return methods
