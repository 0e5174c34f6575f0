"""The iSCSI initiator of an emulated node: its portals, the targets they offer, and sessions with targets.

Discovery and login are real.  The units of a target that is logged in are disks of the node.  Nothing here
holds a lock of the node while it waits for a target; what waits for one target delays only that one.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from csiproxy.emulator import iscsi_chap, lun, lun_image
from csiproxy.emulator.disk import Disk, Disks
from csiproxy.emulator.iscsi_chap import NO_CHAP, Chap
from csiproxy.emulator.iscsi_link import Link
from csiproxy.emulator.iscsi_records import Portal, Records, SessionRecord
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus
from csiproxy.emulator.iscsi_units import Units
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error


@dataclass(slots=True)
class Session:
    """A session with a target.  ``link`` is None while there has been no connection in this process."""

    id: str
    target: str
    portal: Portal
    chap: Chap
    persistent: bool
    link: Link | None = None

    @property
    def connected(self) -> bool:
        """Whether the target answered when it was last asked something."""
        return self.link is not None and not self.link.lost


class Initiator:
    """The initiator of one node.  Safe to use from several threads.

    ``mount_points`` gives the directories where a volume is mounted; ``files`` names a directory in which
    each unit is to be shown as a file, for who has file systems on them.  What fails is an IscsiFailure.
    """

    def __init__(
        self,
        state: State,
        disks: Disks,
        mount_points: Callable[[str], list[str]],
        files: str | None = None,
    ) -> None:
        self.name = f"iqn.1991-05.com.microsoft:emulated-{disks.provider[:8]}"
        self._fresh_guid = state.fresh_guid
        self._records = Records(state)
        self._units = Units(disks, self._records, self._link, mount_points, files)
        self._guard = threading.Lock()  # of what follows; never held while waiting
        self._sessions: dict[str, Session] = {}  # by target
        self._alone: dict[str, threading.Lock] = {}  # by target
        self._discovery: dict[Portal, Chap] = {}
        self._secret = ""
        if files is not None:
            lun_image.clear_stale(files)
        self._restore()

    # --- portals -----------------------------------------------------------------------------------------

    def portals(self) -> list[Portal]:
        """The portals that are registered."""
        return self._records.portals()

    def add_portal(self, portal: Portal, authentication: str, name: str, secret: str) -> None:
        """Ask a portal for its targets, and register it when it answers; again is fine."""
        chap = iscsi_chap.agreed(authentication, name, secret, self._secret)
        found = self._discover(portal, chap)
        with self._guard:
            self._discovery[portal] = chap
        self._records.add_portal(portal, found)

    def update_portal(self, portal: Portal) -> None:
        """Ask a registered portal again."""
        self._require_registered(portal)
        with self._guard:
            chap = self._discovery.get(portal, NO_CHAP)
        self._records.set_targets(portal, self._discover(portal, chap))

    def remove_portal(self, portal: Portal) -> None:
        """Forget a portal and what it offers; sessions stay."""
        self._require_registered(portal)
        with self._guard:
            self._discovery.pop(portal, None)
        self._records.remove_portal(portal)

    def _require_registered(self, portal: Portal) -> None:
        if portal not in self.portals():
            raise IscsiFailure(IscsiStatus.PORTAL_NOT_FOUND, f"{portal} is not registered: add it first")

    def _discover(self, portal: Portal, chap: Chap) -> list[str]:
        link = Link(self.name, portal, "", chap)
        try:
            return link.discover()
        finally:
            link.close()

    # --- targets and sessions ----------------------------------------------------------------------------

    def targets(self) -> dict[str, list[Portal]]:
        """The targets that are known, with the portals that offer them; by name."""
        return {**{session.target: [] for session in self.sessions()}, **self._records.targets()}

    def sessions(self) -> list[Session]:
        """The sessions."""
        with self._guard:
            return list(self._sessions.values())

    def disks(self, target: str) -> list[Disk]:
        """The disks of the node that are units of a target."""
        return self._units.disks(target)

    def set_secret(self, secret: str) -> None:
        """Keep the secret that targets prove to know in mutual CHAP, for the logins to come."""
        iscsi_chap.check_secret(secret)
        with self._guard:
            self._secret = secret

    def connect(
        self,
        target: str,
        portal: Portal | None,
        authentication: str,
        name: str,
        secret: str,
        *,
        persistent: bool,
    ) -> Session:
        """Log in to a target, and make its units disks of the node.

        A session whose connection is lost is the one that comes back.
        """
        chap = iscsi_chap.agreed(authentication, name, secret, self._secret)
        places = self.targets().get(target)
        if places is None:
            raise IscsiFailure(IscsiStatus.TARGET_NOT_FOUND, f"no portal offers {target}: discover it first")
        if portal is None and not places:
            raise IscsiFailure(IscsiStatus.NO_PORTAL_SPECIFIED, f"no portal of {target} is known")
        with self.alone_with(target):
            session = self._session(target)
            if session and session.connected:
                raise IscsiFailure(IscsiStatus.TARGET_ALREADY_LOGGED_IN, f"{target} is logged in already")
            if session:
                session.portal, session.chap = portal or session.portal, chap
                session.persistent = session.persistent or persistent
                self.log_in(session)
            else:
                session = Session(self._session_id(), target, portal or places[0], chap, persistent)
                try:
                    self.log_in(session)
                except BaseException:
                    self._end(session)
                    raise
            if session.persistent:
                self._keep(session)
            return session

    def disconnect(self, target: str, session_id: str) -> None:
        """Log out, of one session or of any; refused while a volume of the target's disks is mounted."""
        with self.alone_with(target):
            session = self._session(target)
            if session is None or session_id not in ("", session.id):
                raise IscsiFailure(IscsiStatus.INVALID_SESSION_ID, f"{target} has no such session")
            if place := self._units.mounted(target):
                text = f"a volume of {target} is mounted at {place}: unmount it first"
                raise IscsiFailure(IscsiStatus.DEVICE_BUSY_ON_SESSION, text)
            self._end(session)

    def set_persistent(self, session_id: str, *, persistent: bool) -> None:
        """Whether a session is one that comes back when the node is started again."""
        session = next((one for one in self.sessions() if one.id == session_id), None)
        if session is None:
            raise IscsiFailure(IscsiStatus.INVALID_SESSION_ID, f"there is no session {session_id}")
        with self.alone_with(session.target):
            session.persistent = persistent
            if persistent:
                self._keep(session)
            else:
                self._records.forget_session(session.target)

    def rescan(self) -> None:
        """Find the units that targets have gained or lost.  A target that is lost keeps its disks."""
        for session in self.sessions():
            with self.alone_with(session.target):
                if session.link and session.connected:
                    try:
                        self._units.surface(session.target, lun.units(session.link), withdraw=True)
                    except (IscsiFailure, Win32Error):
                        continue  # its disks fail from now on, until it is back

    def log_in(self, session: Session) -> None:
        """Log in for a session, and make the units disks; the caller is alone with the target."""
        link = Link(self.name, session.portal, session.target, session.chap)
        try:
            found = lun.units(link)
            if session.link:
                session.link.drop()
            session.link = link
            with self._guard:
                self._sessions.setdefault(session.target, session)
            self._units.surface(session.target, found, withdraw=False)
        except (IscsiFailure, Win32Error):
            link.close()
            raise

    def alone_with(self, target: str) -> threading.Lock:
        """The lock of a target: one login, logout or rescan at a time."""
        with self._guard:
            return self._alone.setdefault(target, threading.Lock())

    def _session(self, target: str) -> Session | None:
        with self._guard:
            return self._sessions.get(target)

    def _link(self, target: str) -> Link:
        session = self._session(target)
        if session is None or session.link is None:
            raise IscsiFailure(IscsiStatus.TRANSPORT_ERROR, f"{target} is not logged in")
        return session.link

    def _session_id(self) -> str:
        # Of the form that Windows gives: the adapter's address, then the ISID and the session's number.
        return f"{self._fresh_guid().replace('-', '')[:16]}-4000013700000001"

    def _end(self, session: Session) -> None:
        self._records.forget_session(session.target)
        self._units.withdraw(session.target)
        with self._guard:
            self._sessions.pop(session.target, None)
        if session.link:
            session.link.close()

    # --- what outlives the process -----------------------------------------------------------------------

    def _keep(self, session: Session) -> None:
        chap = session.chap
        self._records.keep_session(
            SessionRecord(session.target, session.id, session.portal, chap.authentication, chap.name)
        )

    def _restore(self) -> None:
        """Take up the persistent sessions of an earlier process; the disks of its others are gone."""
        for kept in self._records.sessions():
            chap = Chap(kept.authentication, kept.chap_name)
            self._sessions[kept.target] = Session(kept.id, kept.target, kept.portal, chap, True)
        for target in self._units.targets() - set(self._sessions):
            self._units.withdraw(target)

    def reset(self) -> None:
        """Log out everywhere, and know nothing any more."""
        for session in self.sessions():
            with self.alone_with(session.target):
                self._end(session)
        with self._guard:
            self._discovery.clear()
            self._secret = ""
        self._records.clear()

    def close(self) -> None:
        """Log out, as a host that is shut down does; persistent sessions come back with the next start."""
        for session in self.sessions():
            if session.link:
                session.link.close()
