"""iSCSI targets: from a portal's address to the numbers of the disks, and back."""

import time
from dataclasses import dataclass, field
from typing import Final

from csiproxy.client import AuthenticationType, Client, TargetPortal
from csiproxy.errors import NotFound, Unavailable, Unimplemented

INITIATOR: Final = "MSiSCSI"
"""The service that is Windows' initiator."""
ARRIVAL_SECONDS: Final = 30.0
"""How long Windows may take to make disks of a target's LUNs."""
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Chap:
    """A CHAP login: the user, the target's secret and, for mutual CHAP, the initiator's own."""

    username: str
    secret: str = field(repr=False)
    mutual_secret: str = field(default="", repr=False)


def attach(client: Client, portal: TargetPortal, iqn: str, chap: Chap | None = None) -> tuple[int, ...]:
    """See that the node is logged in to a target; the numbers of its disks.

    A target that is logged in to is not logged in to again.  NotFound where the portal does not offer the
    target, or Windows has made no disk of it in time; PermissionDenied where a secret is wrong.
    """
    iscsi = client.iscsi
    _start_initiator(client)
    iscsi.add_target_portal(portal)
    if iqn not in iscsi.discover_target_portal(portal):
        raise NotFound(f"portal {portal.target_address} offers no target '{iqn[:223]}'")
    found = iscsi.get_target_disks(portal, iqn)
    if not found:
        _connect(client, portal, iqn, chap)
        found = _arrived(client, portal, iqn)
    return tuple(sorted(found))


def detach(client: Client, portal: TargetPortal, iqn: str) -> None:
    """Log out of a target, on which no volume may be mounted; not logged in is success.  The portal stays."""
    client.iscsi.disconnect_target(portal, iqn)


def _start_initiator(client: Client) -> None:
    try:
        client.system.start_service(INITIATOR)
    except (Unavailable, Unimplemented):
        return  # a node without group system: its operator has to have started the service


def _connect(client: Client, portal: TargetPortal, iqn: str, chap: Chap | None) -> None:
    if chap is None:
        client.iscsi.connect_target(portal, iqn)
        return
    kind = AuthenticationType.ONE_WAY_CHAP
    if chap.mutual_secret:
        kind = AuthenticationType.MUTUAL_CHAP
        client.iscsi.set_mutual_chap_secret(chap.mutual_secret)
    client.iscsi.connect_target(
        portal, iqn, auth_type=kind, chap_username=chap.username, chap_secret=chap.secret
    )


def _arrived(client: Client, portal: TargetPortal, iqn: str) -> tuple[int, ...]:
    end = time.monotonic() + ARRIVAL_SECONDS
    pause = _FIRST_PAUSE
    while not (found := client.iscsi.get_target_disks(portal, iqn)):
        if time.monotonic() + pause >= end:
            raise NotFound(f"target '{iqn[:223]}' is logged in to, and Windows has made no disk of it yet")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return found
