"""By method of the iSCSI classes: what there is, the call that comes to it, and the errors that are none."""

from collections.abc import Callable
from dataclasses import dataclass

from csiproxy.errors import AlreadyExists, CsiProxyError, NotFound
from csiproxy.operations import Operations
from csiproxy.operations.context import Context
from csiproxy.operations.iscsi import AuthenticationType, TargetPortal
from csiproxy.operations.secret import Secret


@dataclass(frozen=True)
class Ground:
    """A node's operations, a portal of a real target, and that target's name."""

    groups: Operations
    portal: TargetPortal
    iqn: str

    def add(self) -> None:
        self.groups.iscsi.add_target_portal(Context(), target_portal=self.portal)

    def remove(self) -> None:
        self.groups.iscsi.remove_target_portal(Context(), target_portal=self.portal)

    def discover(self) -> None:
        self.groups.iscsi.discover_target_portal(Context(), target_portal=self.portal)

    def connect(self) -> None:
        self.groups.iscsi.connect_target(
            Context(),
            target_portal=self.portal,
            iqn=self.iqn,
            auth_type=AuthenticationType.NONE,
            chap_username="",
            chap_secret=Secret(""),
        )

    def disconnect(self) -> None:
        self.groups.iscsi.disconnect_target(Context(), target_portal=self.portal, iqn=self.iqn)

    def set_secret(self) -> None:
        self.groups.iscsi.set_mutual_chap_secret(Context(), mutual_chap_secret=Secret("initiator-one"))


Step = Callable[[Ground], None]

ISCSI_METHODS: dict[str, tuple[tuple[Step, ...], Step, tuple[type[CsiProxyError], ...]]] = {
    "MSFT_iSCSITargetPortal.New": ((), Ground.add, ()),
    "MSFT_iSCSITargetPortal.Update": ((Ground.add,), Ground.discover, ()),
    "MSFT_iSCSITargetPortal.Remove": ((Ground.add,), Ground.remove, (NotFound,)),
    "MSFT_iSCSITarget.Connect": ((Ground.add,), Ground.connect, (AlreadyExists,)),
    "MSFT_iSCSITarget.Disconnect": ((Ground.add, Ground.connect), Ground.disconnect, (NotFound,)),
    "MSFT_iSCSISession.Unregister": ((Ground.add, Ground.connect), Ground.disconnect, ()),
    "MSFT_iSCSISession.SetCHAPSecret": ((), Ground.set_secret, ()),
}
