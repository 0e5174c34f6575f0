"""The node's iSCSI initiator: MSFT_iSCSITarget, its portals, sessions and connections.

https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsitarget
"""

from dataclasses import dataclass
from enum import Enum

from csiproxy.host.cim import Instance, Session, Value
from csiproxy.storage.codes import ISCSI, expect, judged
from csiproxy.storage.smb import Password

# Done, and in effect after a restart: ISDSC_OPERATION_REQUIRES_REBOOT.
REBOOT_WANTED = 0xAFFF003B


class Authentication(Enum):
    """AuthenticationType of a login or discovery, in the only spelling that Windows takes."""

    NONE = "NONE"
    ONE_WAY_CHAP = "ONEWAYCHAP"
    MUTUAL_CHAP = "MUTUALCHAP"


@dataclass(frozen=True, slots=True)
class TargetPortal:
    """A portal that is registered.  ``address`` is a DNS name or an IP address."""

    address: str
    port: int
    instance: Instance


@dataclass(frozen=True, slots=True)
class Target:
    """A target that is known.  ``name`` is its iSCSI qualified name."""

    name: str
    is_connected: bool
    instance: Instance


@dataclass(frozen=True, slots=True)
class TargetSession:
    """A session with a target.  A persistent one comes back with the next start of Windows."""

    id: str
    is_connected: bool
    is_persistent: bool
    instance: Instance


class Iscsi:
    """Portals, targets and sessions of the node.  Secrets are passed on to Windows and kept nowhere."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def portals(self) -> list[TargetPortal]:
        """All registered portals, by address and port."""
        with judged("list the target portals"):
            found = self._session.instances("MSFT_iSCSITargetPortal")
        return sorted(map(_portal, found), key=lambda portal: (portal.address.lower(), portal.port))

    def portal(self, address: str, port: int) -> TargetPortal | None:
        """The registered portal with that address and port."""
        with judged(f"read target portal {address}:{port}"):
            found = self._session.instances(
                "MSFT_iSCSITargetPortal", TargetPortalAddress=address, TargetPortalPortNumber=port
            )
        return _portal(found[0]) if found else None

    def add_portal(
        self, address: str, port: int, authentication: Authentication, name: str, secret: Password
    ) -> None:
        """Register a portal; Windows asks it for its targets first."""
        with secret.revealed() as text:
            chap = _chap(authentication, name, text)
            self._call(
                "MSFT_iSCSITargetPortal",
                "New",
                f"discover the targets of {address}:{port}",
                TargetPortalAddress=address,
                TargetPortalPortNumber=port,
                **(chap if authentication is not Authentication.NONE else {}),
            )
            chap.clear()

    def discover(self, portal: TargetPortal) -> None:
        """Ask a portal for its targets again."""
        self._call(
            portal.instance,
            "Update",
            f"discover the targets of {portal.address}:{portal.port}",
            TargetPortalAddress=portal.address,
            TargetPortalPortNumber=portal.port,
        )

    def remove_portal(self, portal: TargetPortal) -> None:
        """Forget a portal."""
        self._call(
            portal.instance,
            "Remove",
            f"remove target portal {portal.address}:{portal.port}",
            TargetPortalAddress=portal.address,
            TargetPortalPortNumber=portal.port,
        )

    def targets(self, portal: TargetPortal) -> list[Target]:
        """The targets that a portal offers, as it was last asked."""
        with judged(f"list the targets of {portal.address}:{portal.port}"):
            found = self._session.associated(
                portal.instance, "MSFT_iSCSITargetToiSCSITargetPortal", "MSFT_iSCSITarget", "iSCSITarget"
            )
        return sorted(map(_target, found), key=lambda target: target.name)

    def all_targets(self) -> list[Target]:
        """All targets that are known, by name."""
        with judged("list the targets"):
            found = self._session.instances("MSFT_iSCSITarget")
        return sorted(map(_target, found), key=lambda target: target.name)

    def target(self, name: str) -> Target | None:
        """The target with that name, when it is known."""
        with judged(f"read target {name}"):
            found = self._session.instances("MSFT_iSCSITarget", NodeAddress=name)
        return _target(found[0]) if found else None

    def connect(
        self, name: str, address: str, port: int, authentication: Authentication, user: str, secret: Password
    ) -> None:
        """Log in to a target.  Its disks may come a little later."""
        with secret.revealed() as text:
            self._call(
                "MSFT_iSCSITarget",
                "Connect",
                f"log in to {name} at {address}:{port}",
                NodeAddress=name,
                TargetPortalAddress=address,
                TargetPortalPortNumber=port,
                **_chap(authentication, user, text),
            )

    def disconnect(self, target: Target, session: TargetSession) -> None:
        """Log out of a session; Windows refuses it while a disk is in use or while it is persistent."""
        self._call(
            target.instance,
            "Disconnect",
            f"log out of {target.name}",
            SessionIdentifier=session.id,
        )

    def unregister(self, session: TargetSession) -> None:
        """Make a session persistent no longer."""
        self._call(session.instance, "Unregister", "make the session persistent no longer")

    def sessions(self, target: Target) -> list[TargetSession]:
        """The sessions with a target."""
        with judged(f"list the sessions of {target.name}"):
            found = self._session.associated(
                target.instance, "MSFT_iSCSITargetToiSCSISession", "MSFT_iSCSISession", "iSCSISession"
            )
        return [
            TargetSession(
                one.text("SessionIdentifier"), one.flag("IsConnected"), one.flag("IsPersistent"), one
            )
            for one in found
        ]

    def disk_numbers(self, target: Target) -> list[int]:
        """The numbers of the disks behind a target's connections, in order."""
        numbers: set[int] = set()
        with judged(f"list the disks of {target.name}"):
            connections = self._session.associated(
                target.instance,
                "MSFT_iSCSITargetToiSCSIConnection",
                "MSFT_iSCSIConnection",
                "iSCSIConnection",
            )
            for connection in connections:
                disks = self._session.associated(
                    connection, "MSFT_iSCSIConnectionToDisk", "MSFT_Disk", "Disk"
                )
                numbers.update(disk.number("Number") for disk in disks)
        return sorted(numbers)

    def set_initiator_secret(self, secret: Password) -> None:
        """Set the secret that targets prove to know in mutual CHAP; it holds for the whole node."""
        with secret.revealed() as text:
            what = "set the initiator's CHAP secret"
            self._call("MSFT_iSCSISession", "SetCHAPSecret", what, ChapSecret=text)

    def _call(self, target: Instance | str, method: str, what: str, **parameters: Value) -> None:
        class_name = target if isinstance(target, str) else target.class_name
        with judged(what):
            result = self._session.invoke(target, method, **parameters)
        expect(result, f"{class_name}.{method}", what, also=(REBOOT_WANTED,), table=ISCSI)


def _chap(authentication: Authentication, name: str, secret: str) -> dict[str, str]:
    """The parameters of a login; without CHAP there is neither name nor secret."""
    kind = {"AuthenticationType": authentication.value}
    if authentication is Authentication.NONE:
        return kind
    return {**kind, "ChapUsername": name, "ChapSecret": secret}


def _portal(instance: Instance) -> TargetPortal:
    return TargetPortal(
        instance.text("TargetPortalAddress"), instance.number("TargetPortalPortNumber"), instance
    )


def _target(instance: Instance) -> Target:
    return Target(instance.text("NodeAddress"), instance.flag("IsConnected"), instance)
