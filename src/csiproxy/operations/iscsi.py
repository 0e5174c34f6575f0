"""Group iscsi: target portals, logins to targets, and the disks behind them.

https://learn.microsoft.com/powershell/module/iscsi, RFC 7143 for names, ports and CHAP
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from csiproxy.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    WindowsCode,
)
from csiproxy.operations.context import Context
from csiproxy.operations.disk import DiskGroup
from csiproxy.operations.locks import Locks
from csiproxy.operations.paths import shown
from csiproxy.operations.rail import Act
from csiproxy.operations.secret import Secret
from csiproxy.storage import Storage, iscsi
from csiproxy.storage.codes import judged
from csiproxy.storage.iscsi import Authentication, Target

DEFAULT_PORT = 3260
_HIGHEST_PORT = 0xFFFF
# RFC 7143 4.2.7.1 and 9.2.1: a name has up to 223 bytes, a secret at least 96 bits.  Windows' initiator
# takes at most 128 bits.
_LONGEST_NAME = 223
_SHORTEST_SECRET, _LONGEST_SECRET = 12, 16
_NAME = re.compile(
    r"iqn\.[0-9]{4}-[0-9]{2}\.[a-z0-9_.:-]+|eui\.[0-9a-f]{16}|naa\.(?:[0-9a-f]{16}|[0-9a-f]{32})",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_ADDRESS = 253
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
# A DNS name or an IPv4 address; an IPv6 address, maybe with a zone.  Windows decides the rest.
_ADDRESS = re.compile(
    rf"{_LABEL}(?:\.{_LABEL})*\.?|(?=[^%]*:[^%]*:)[0-9a-f:.]+(?:%[a-z0-9]+)?", re.IGNORECASE | re.ASCII
)


class AuthenticationType(IntEnum):
    """How target and initiator prove who they are."""

    NONE = 0
    ONE_WAY_CHAP = 1
    MUTUAL_CHAP = 2


_AUTHENTICATION = {
    AuthenticationType.NONE: Authentication.NONE,
    AuthenticationType.ONE_WAY_CHAP: Authentication.ONE_WAY_CHAP,
    AuthenticationType.MUTUAL_CHAP: Authentication.MUTUAL_CHAP,
}


@dataclass(frozen=True, slots=True)
class TargetPortal:
    """Where a target listens; port 0 means 3260."""

    target_address: str
    target_port: int


@dataclass(frozen=True, slots=True)
class DiscoverTargetPortal:
    """The names of the targets that a portal offers."""

    iqns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListTargetPortals:
    """All registered portals."""

    target_portals: tuple[TargetPortal, ...]


@dataclass(frozen=True, slots=True)
class GetTargetDisks:
    """Disk numbers in decimal digits."""

    disk_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Login:
    """How to prove who one is at a login or discovery; checked when it is made.

    Without CHAP there is neither user name nor secret.
    """

    type: AuthenticationType
    user: str
    secret: Secret

    @property
    def authentication(self) -> Authentication:
        """As Windows calls it."""
        return _AUTHENTICATION[self.type]


class IscsiGroup:
    """The RPCs of the newest iscsi version, and what CSIProxyService composes of them."""

    def __init__(self, storage: Storage, disks: DiskGroup, locks: Locks) -> None:
        self._iscsi = storage.iscsi
        self._mount_points = storage.namespace.mount_points
        self._disks = disks
        self._locks = locks

    # --- portals -------------------------------------------------------------------------------------

    def add_target_portal(self, context: Context, *, target_portal: TargetPortal | None) -> None:
        """Register a portal, which has to answer; one that is registered is success."""
        portal = checked_portal(target_portal)
        with self._locks.hold(context, _portal_lock(portal)):
            self._register(portal, checked_login(AuthenticationType.NONE, "", Secret("")))

    def discover_target_portal(
        self, context: Context, *, target_portal: TargetPortal | None
    ) -> DiscoverTargetPortal:
        """Ask a registered portal for its targets, as they are now."""
        portal = checked_portal(target_portal)
        with self._locks.hold(context, _portal_lock(portal)):
            registered = self._registered(portal)
            self._iscsi.discover(registered)
            return DiscoverTargetPortal(tuple(target.name for target in self._iscsi.targets(registered)))

    def remove_target_portal(self, context: Context, *, target_portal: TargetPortal | None) -> None:
        """Forget a portal; one that is not registered (any more) is success.  Sessions stay."""
        portal = checked_portal(target_portal)
        with self._locks.hold(context, _portal_lock(portal)):
            registered = self._iscsi.portal(portal.target_address, portal.target_port)
            if registered:
                try:
                    self._iscsi.remove_portal(registered)
                except NotFound:
                    context.note("portal-has-gone", portal=_text(portal))

    def list_target_portals(self, context: Context) -> ListTargetPortals:
        """All registered portals."""
        return ListTargetPortals(
            tuple(TargetPortal(portal.address, portal.port) for portal in self._iscsi.portals())
        )

    # --- targets -------------------------------------------------------------------------------------

    def connect_target(
        self,
        context: Context,
        *,
        target_portal: TargetPortal | None,
        iqn: str,
        auth_type: AuthenticationType,
        chap_username: str,
        chap_secret: Secret,
    ) -> None:
        """Log in to a target of a registered portal; one that is connected already is success."""
        portal, name = checked_portal(target_portal), checked_name(iqn)
        login = checked_login(auth_type, chap_username, chap_secret)
        with self._locks.hold(context, target_lock(name)):
            self.log_in(context, portal, name, login)

    def disconnect_target(self, context: Context, *, target_portal: TargetPortal | None, iqn: str) -> None:
        """Log out of a target, whichever portal it was reached by; not connected or unknown is success."""
        checked_portal(target_portal)
        self.log_out(context, checked_name(iqn))

    def get_target_disks(
        self, context: Context, *, target_portal: TargetPortal | None, iqn: str
    ) -> GetTargetDisks:
        """The disks of a target; none while it is not connected."""
        portal, name = checked_portal(target_portal), checked_name(iqn)
        target = self._iscsi.target(name)
        if target is None:
            self._registered(portal)
            raise NotFound(f"the node does not know target {name}; discover it first")
        return GetTargetDisks(tuple(map(str, self._iscsi.disk_numbers(target))))

    def set_mutual_chap_secret(self, context: Context, *, mutual_chap_secret: Secret) -> None:
        """Set the secret that targets have to prove in mutual CHAP; it holds for the whole node."""
        check_secret(mutual_chap_secret, "MutualChapSecret")
        with self._locks.hold(context, INITIATOR_SECRET):
            self._iscsi.set_initiator_secret(mutual_chap_secret)

    # --- shared with the other contracts -------------------------------------------------------------

    def log_in(self, context: Context, portal: TargetPortal, name: str, login: Login) -> None:
        """Log in unless there is a session; the target's lock is held."""
        if self.is_connected(name):
            return
        registered = self._registered(portal)
        if name not in self._offered(registered):
            # It may have been made after the portal was asked.
            self._iscsi.discover(registered)
            if name not in self._offered(registered):
                raise NotFound(f"portal {_text(portal)} offers no target {name}")
        context.check()
        try:
            self._iscsi.connect(
                name,
                portal.target_address,
                portal.target_port,
                login.authentication,
                login.user,
                login.secret,
            )
        except AlreadyExists:
            context.note("logged-in-meanwhile", target=name)

    def log_out(self, context: Context, name: str) -> None:
        """Log out of every session with a target; refused (2404) while a volume on it is mounted."""
        with self._locks.hold(context, target_lock(name)):
            target = self._iscsi.target(name)
            sessions = self._iscsi.sessions(target) if target else []
            if target and sessions:
                self._require_unused(target)
            elif target and target.is_connected:
                raise Aborted(f"Windows says that {name} is connected, and shows no session yet; try again")
            for session in sessions:
                if session.is_persistent:
                    self._iscsi.unregister(session)
                if target:
                    self._disconnect(context, target, session)

    def make_known(self, context: Context, portal: TargetPortal, discovery: Login) -> None:
        """See to it that a portal is registered; ``discovery`` is how it lets itself be asked."""
        with self._locks.hold(context, _portal_lock(portal)):
            self._register(portal, discovery)

    def is_connected(self, name: str) -> bool:
        """Whether there is a living session with a target."""
        target = self._iscsi.target(name)
        return target is not None and target.is_connected

    def _offered(self, portal: iscsi.TargetPortal) -> set[str]:
        return {target.name for target in self._iscsi.targets(portal)}

    def disk_numbers(self, name: str) -> list[int]:
        """The disks of a target; none while it is not connected or not known."""
        target = self._iscsi.target(name)
        return self._iscsi.disk_numbers(target) if target else []

    def set_initiator_secret(self, secret: Secret) -> None:
        """Like SetMutualChapSecret, for who holds the lock of :data:`INITIATOR_SECRET`."""
        self._iscsi.set_initiator_secret(secret)

    def _register(self, portal: TargetPortal, login: Login) -> None:
        address, port = portal.target_address, portal.target_port
        if self._iscsi.portal(address, port) is None:
            try:
                self._iscsi.add_portal(address, port, login.authentication, login.user, login.secret)
            except AlreadyExists:
                # Somebody outside of this program may have been faster.
                if self._iscsi.portal(address, port) is None:
                    raise

    def _disconnect(self, context: Context, target: Target, session: iscsi.TargetSession) -> None:
        try:
            self._iscsi.disconnect(target, session)
        except NotFound:
            context.note("session-has-gone", target=target.name)

    def _require_unused(self, target: Target) -> None:
        for number in self._iscsi.disk_numbers(target):
            self._disks.guard(number, Act.LOG_OUT)
            for volume in self._disks.volumes_of(number):
                with judged(f"find where volume {volume.id} is mounted"):
                    places = self._mount_points(volume.id)
                if places:
                    raise FailedPrecondition(
                        f"target {target.name} is in use: volume {volume.id} on disk {number} is mounted at "
                        f"{places[0]}; unmount it first",
                        WindowsCode.DEVICE_IN_USE,
                    )

    def _registered(self, portal: TargetPortal) -> iscsi.TargetPortal:
        found = self._iscsi.portal(portal.target_address, portal.target_port)
        if found is None:
            raise NotFound(f"target portal {_text(portal)} is not registered; add it first")
        return found


# --- what a request may say ------------------------------------------------------------------------------

INITIATOR_SECRET = "initiator's CHAP secret"  # noqa: S105 - the name of a lock


def target_lock(name: str) -> str:
    """What a target is called among the locks."""
    return f"target {name.lower()}"


def _portal_lock(portal: TargetPortal) -> str:
    return f"target portal {_text(portal).lower()}"


def _text(portal: TargetPortal) -> str:
    return f"{portal.target_address}:{portal.target_port}"


def checked_portal(portal: TargetPortal | None) -> TargetPortal:
    """A portal with its real port, or InvalidArgument."""
    if portal is None or not portal.target_address:
        raise InvalidArgument("give the target portal's address")
    if len(portal.target_address) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(portal.target_address):
        raise InvalidArgument(f"{shown(portal.target_address)} is neither a DNS name nor an IP address")
    if portal.target_port > _HIGHEST_PORT:
        raise InvalidArgument(f"{portal.target_port} is no TCP port; give 1 to 65535, or 0 for 3260")
    return TargetPortal(portal.target_address, portal.target_port or DEFAULT_PORT)


def checked_name(iqn: str) -> str:
    """An iSCSI name, or InvalidArgument (123)."""
    if len(iqn) > _LONGEST_NAME or not _NAME.fullmatch(iqn):
        raise InvalidArgument(
            f"{shown(iqn)} is no iSCSI name like iqn.2026-01.com.example:disks", WindowsCode.INVALID_NAME
        )
    return iqn


def checked_login(kind: AuthenticationType, user: str, secret: Secret) -> Login:
    """A login that Windows could try, or InvalidArgument."""
    if kind is AuthenticationType.NONE:
        if user or secret:
            raise InvalidArgument("a CHAP user name or secret is given, but the login is to be without CHAP")
        return Login(kind, "", secret)
    if not 0 < len(user) <= _LONGEST_NAME or not user.isprintable():
        raise InvalidArgument(
            f"the CHAP user name has 1 to {_LONGEST_NAME} printable characters", WindowsCode.BAD_USERNAME
        )
    check_secret(secret, "the CHAP secret")
    return Login(kind, user, secret)


def check_secret(secret: Secret, what: str) -> None:
    """Refuse a secret that CHAP or Windows cannot have; the text tells nothing of it."""
    with secret.revealed() as text:
        fits = _SHORTEST_SECRET <= len(text.encode()) <= _LONGEST_SECRET and text.isprintable()
    if not fits:
        raise InvalidArgument(
            f"{what} must have {_SHORTEST_SECRET} to {_LONGEST_SECRET} bytes and no control characters"
        )
