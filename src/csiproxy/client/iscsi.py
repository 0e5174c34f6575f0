"""Group iscsi: target portals, targets and the disks behind them.  Needs the service MSiSCSI to run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing

if TYPE_CHECKING:
    from csiproxy.api.iscsi import v1alpha2_pb2

_GROUP = "iscsi"


class AuthenticationType(IntEnum):
    """CHAP: none, the initiator proves itself, or both do."""

    NONE = 0
    ONE_WAY_CHAP = 1
    MUTUAL_CHAP = 2


@dataclass(frozen=True, slots=True)
class TargetPortal:
    """Where a target listens: a DNS name or IP address, and a TCP port (0: 3260)."""

    target_address: str
    target_port: int = 0


class IscsiCalls:
    """The calls."""

    @Rpc
    def add_target_portal(self, portal: TargetPortal) -> Call[None]:
        """Register a portal and discover its targets; a known one is success.  Unavailable."""
        return Call(_GROUP, "AddTargetPortal", nothing, _at(portal))

    @Rpc
    def discover_target_portal(self, portal: TargetPortal) -> Call[tuple[str, ...]]:
        """The names (IQNs) of the targets that a registered portal offers now.  NotFound, Unavailable."""
        return Call(_GROUP, "DiscoverTargetPortal", _iqns, _at(portal))

    @Rpc
    def remove_target_portal(self, portal: TargetPortal) -> Call[None]:
        """Forget a portal; sessions stay."""
        return Call(_GROUP, "RemoveTargetPortal", nothing, _at(portal))

    @Rpc
    def list_target_portals(self) -> Call[tuple[TargetPortal, ...]]:
        """Every registered portal."""
        return Call(_GROUP, "ListTargetPortals", _portals)

    @Rpc
    def connect_target(
        self,
        portal: TargetPortal,
        iqn: str,
        *,
        auth_type: AuthenticationType = AuthenticationType.NONE,
        chap_username: str = "",
        chap_secret: str = "",
    ) -> Call[None]:
        """Log in to a target of a registered portal; one that is connected is success.

        NotFound, PermissionDenied (CHAP refused), Unavailable, FailedPrecondition (MUTUAL_CHAP before
        :meth:`set_mutual_chap_secret`).  The Go csi-proxy fails where the target is connected already.
        """
        fields = {
            **_at(portal),
            "iqn": iqn,
            "auth_type": int(auth_type),
            "chap_username": chap_username,
            "chap_secret": chap_secret,
        }
        return Call(_GROUP, "ConnectTarget", nothing, fields, repeatable=False)

    @Rpc
    def disconnect_target(self, portal: TargetPortal, iqn: str) -> Call[None]:
        """Log out of a target; not connected is success.  FailedPrecondition: a volume on it is mounted."""
        return Call(_GROUP, "DisconnectTarget", nothing, {**_at(portal), "iqn": iqn})

    @Rpc
    def get_target_disks(self, portal: TargetPortal, iqn: str) -> Call[tuple[int, ...]]:
        """The numbers of a target's disks; () while it is not connected.  NotFound."""
        return Call(_GROUP, "GetTargetDisks", _disks, {**_at(portal), "iqn": iqn})

    @Rpc
    def set_mutual_chap_secret(self, secret: str) -> Call[None]:
        """Set the secret that targets prove in mutual CHAP (12 to 16 bytes); it holds for the whole node.

        Unimplemented where the node serves iscsi v1alpha1 only.
        """
        return Call(_GROUP, "SetMutualChapSecret", nothing, {"MutualChapSecret": secret})


class Iscsi(IscsiCalls, Synchronous):
    """The iSCSI initiator of a node."""


class AsyncIscsi(IscsiCalls, Asynchronous):
    """The iSCSI initiator of a node, for asyncio."""


def _at(portal: TargetPortal) -> dict[str, object]:
    return {
        "target_portal": {"target_address": portal.target_address, "target_port": portal.target_port},
    }


def _iqns(reply: v1alpha2_pb2.DiscoverTargetPortalResponse) -> tuple[str, ...]:
    return tuple(reply.iqns)


def _portals(reply: v1alpha2_pb2.ListTargetPortalsResponse) -> tuple[TargetPortal, ...]:
    return tuple(TargetPortal(portal.target_address, portal.target_port) for portal in reply.target_portals)


def _disks(reply: v1alpha2_pb2.GetTargetDisksResponse) -> tuple[int, ...]:
    return tuple(int(number) for number in reply.diskIDs)
