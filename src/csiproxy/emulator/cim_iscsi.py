"""The iSCSI classes of the emulated node: MSFT_iSCSITarget, its portal, session and connection.

https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsitarget

A failure is an HRESULT with the initiator's status code, which the cmdlets on these classes show, too.
"""

from collections.abc import Callable, Mapping

from csiproxy.emulator import iscsi_chap
from csiproxy.emulator.cim_provider import Arguments, Association, End, ObjectIds, Provider
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.initiator import Initiator, Session
from csiproxy.emulator.iscsi_records import Portal
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus
from csiproxy.errors import CimError, Win32Error
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.iscsi_schema import (
    CONNECTION,
    CONNECTION_TO_DISK,
    MSFT_ISCSI_CONNECTION,
    MSFT_ISCSI_SESSION,
    MSFT_ISCSI_TARGET,
    MSFT_ISCSI_TARGET_PORTAL,
    PORTAL,
    SESSION,
    SESSION_TO_DISK,
    TARGET,
    TARGET_TO_CONNECTION,
    TARGET_TO_PORTAL,
    TARGET_TO_SESSION,
)
from csiproxy.host.schema import DISK, CimClass

# RFC 7143 11.1: the port that IANA gave to iSCSI.
DEFAULT_PORT = 3260
_FACILITY_WIN32 = 0x8007_0000

Body = Callable[[str, Arguments], Mapping[str, Value]]


class Iscsi:
    """What the classes work on.

    ``running`` says whether the service MSiSCSI runs, without which nothing is answered; ``on_session`` is
    called when there is a session to look after; ``ids`` names disks.
    """

    def __init__(
        self,
        initiator: Initiator,
        ids: ObjectIds,
        running: Callable[[], bool],
        on_session: Callable[[], None],
    ) -> None:
        self.initiator = initiator
        self.ids = ids
        self.running = running
        self.on_session = on_session

    def providers(self) -> tuple[Provider, ...]:
        """The four classes."""
        return TargetClass(self), PortalClass(self), SessionClass(self), ConnectionClass(self)

    def associations(self) -> tuple[Association, ...]:
        """What joins them to each other and to disks."""
        target, portal = End("iSCSITarget", TARGET), End("iSCSITargetPortal", PORTAL)
        session, connection = End("iSCSISession", SESSION), End("iSCSIConnection", CONNECTION)
        disk = End("Disk", DISK)
        return (
            Association(TARGET_TO_PORTAL, (target, portal), self._portals_of_targets),
            Association(TARGET_TO_SESSION, (target, session), self._of_sessions(session_key)),
            Association(TARGET_TO_CONNECTION, (target, connection), self._of_sessions(connection_key)),
            Association(CONNECTION_TO_DISK, (connection, disk), self._disks_of(connection_key)),
            Association(SESSION_TO_DISK, (session, disk), self._disks_of(session_key)),
        )

    def _portals_of_targets(self, role: str, key: str) -> list[str]:
        targets = self.initiator.targets()
        if role == "iSCSITarget":
            return [name for name, portals in targets.items() if key in map(portal_key, portals)]
        return list(dict.fromkeys(portal.address for portal in targets.get(key, ())))

    def _of_sessions(self, named: Callable[[Session], str]) -> Callable[[str, str], list[str]]:
        def join(role: str, key: str) -> list[str]:
            sessions = self.initiator.sessions()
            if role == "iSCSITarget":
                return [session.target for session in sessions if named(session) == key]
            return [named(session) for session in sessions if session.target == key]

        return join

    def _disks_of(self, named: Callable[[Session], str]) -> Callable[[str, str], list[str]]:
        def join(role: str, key: str) -> list[str]:
            pairs = [
                (named(session), self.ids.disk(disk))
                for session in self.initiator.sessions()
                for disk in self.initiator.disks(session.target)
            ]
            if role == "Disk":
                return [disk for name, disk in pairs if name == key]
            return [name for name, disk in pairs if disk == key]

        return join


class _IscsiClass:
    """What the providers share: the service must run, and failures are HRESULTs."""

    schema: CimClass
    fidelity: Fidelity

    def __init__(self, iscsi: Iscsi) -> None:
        self._iscsi = iscsi
        self._initiator = iscsi.initiator
        self._methods: Mapping[str, Body] = {}

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:  # noqa: ARG002 - they are few
        """All of them."""
        self._require_service("ExecQuery")
        return self._all()

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:
        """Call a method."""
        called = f"{self.schema.name}.{method}"
        self._require_service(called)
        blank: dict[str, Value] = dict.fromkeys(self.schema.methods[method].outputs)
        try:
            return Result(0, {**blank, **self._methods[method](key or "", arguments)})
        except IscsiFailure as error:
            raise CimError(error.status, called, str(error)) from error
        except Win32Error as error:  # of a disk that cannot be on this node
            raise CimError(_FACILITY_WIN32 | error.windows_code, called, error.detail) from error

    def _all(self) -> list[Instance]:
        raise AssertionError(self.schema.name)

    def _require_service(self, operation: str) -> None:
        if not self._iscsi.running():
            raise CimError(IscsiStatus.SERVICE_NOT_RUNNING, operation, "start the service MSiSCSI")


class TargetClass(_IscsiClass):
    """Provider of MSFT_iSCSITarget."""

    schema = MSFT_ISCSI_TARGET
    fidelity = Fidelity(
        page="https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsitarget",
        like=(
            Point(
                "nothing answers while the service MSiSCSI does not run (1062)",
                "emulator/test_cim_iscsi.py",
                "test_nothing_answers_while_the_service_does_not_run",
            ),
            Point(
                "Connect logs in at the real target; a failure is an HRESULT with the initiator's status",
                "emulator/test_cim_iscsi.py",
                "test_a_failed_login_is_an_hresult_with_the_initiators_code",
            ),
            Point(
                "CHAP one way and mutual, with Windows' rules for secrets",
                "emulator/test_iscsi_chap.py",
                "test_what_windows_refuses_is_refused",
            ),
            Point(
                "a login makes disks as SAN policy has new ones, a logout takes them away",
                "emulator/test_initiator.py",
                "test_a_new_disk_is_as_policy_has_it_and_later_as_it_was_left",
            ),
        ),
        unlike=(
            Point(
                "one session a target: a second login is refused",
                "emulator/test_initiator.py",
                "test_a_second_login_is_refused_and_an_unknown_target_is_not_found",
            ),
            Point(
                "a disk of other sectors than 512 bytes, or below 1 MiB, is refused",
                "emulator/test_cim_iscsi.py",
                "test_a_disk_that_cannot_be_on_the_node_is_the_hresult_of_its_windows_code",
            ),
        ),
    )

    def __init__(self, iscsi: Iscsi) -> None:
        super().__init__(iscsi)
        self._methods = {"Connect": self._connect, "Disconnect": self._disconnect, "Update": self._update}

    def _all(self) -> list[Instance]:
        connected = {session.target for session in self._initiator.sessions() if session.connected}
        return [
            Instance(TARGET, name, {"NodeAddress": name, "IsConnected": name in connected})
            for name in self._initiator.targets()
        ]

    def _connect(self, key: str, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002 - static
        given = arguments["TargetPortalAddress"]
        session = self._initiator.connect(
            _text(arguments, "NodeAddress"),
            _portal(arguments) if given else None,
            *_chap(arguments),
            persistent=bool(arguments["IsPersistent"]),
        )
        self._iscsi.on_session()
        return {"CreatediSCSISession": session_instance(session, self._initiator.name)}

    def _disconnect(self, key: str, arguments: Arguments) -> Mapping[str, Value]:
        self._initiator.disconnect(key, _text(arguments, "SessionIdentifier"))
        return {}

    def _update(self, key: str, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        for portal in self._initiator.targets().get(key, ()):
            self._initiator.update_portal(portal)
        return {}


class PortalClass(_IscsiClass):
    """Provider of MSFT_iSCSITargetPortal."""

    schema = MSFT_ISCSI_TARGET_PORTAL
    fidelity = Fidelity(
        page="https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsitargetportal",
        like=(
            Point(
                "New asks the portal, which is not kept when it does not answer",
                "emulator/test_initiator.py",
                "test_a_portal_that_does_not_answer_is_not_registered",
            ),
            Point(
                "Update finds targets that were made later",
                "emulator/test_initiator.py",
                "test_targets_made_later_are_seen_after_an_update",
            ),
            Point(
                "a portal without a port has 3260",
                "emulator/test_cim_iscsi.py",
                "test_a_portal_without_a_port_has_iscsis_own",
            ),
        ),
    )

    def __init__(self, iscsi: Iscsi) -> None:
        super().__init__(iscsi)
        self._methods = {"New": self._new, "Remove": self._remove, "Update": self._update}

    def _all(self) -> list[Instance]:
        return [portal_instance(portal) for portal in self._initiator.portals()]

    def _new(self, key: str, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002 - static
        portal = _portal(arguments)
        self._initiator.add_portal(portal, *_chap(arguments))
        return {"CreatedTargetPortal": portal_instance(portal)}

    def _remove(self, key: str, arguments: Arguments) -> Mapping[str, Value]:
        self._initiator.remove_portal(self._named(key, arguments))
        return {}

    def _update(self, key: str, arguments: Arguments) -> Mapping[str, Value]:
        self._initiator.update_portal(self._named(key, arguments))
        return {}

    def _named(self, key: str, arguments: Arguments) -> Portal:
        """The portal of the instance, unless the arguments name another."""
        if arguments["TargetPortalAddress"] is not None:
            return _portal(arguments)
        found = next((one for one in self._initiator.portals() if portal_key(one) == key), None)
        if found is None:
            raise IscsiFailure(IscsiStatus.PORTAL_NOT_FOUND, "the portal has been removed")
        return found


class SessionClass(_IscsiClass):
    """Provider of MSFT_iSCSISession."""

    schema = MSFT_ISCSI_SESSION
    fidelity = Fidelity(
        page="https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsisession",
        like=(
            Point(
                "a session leads to its target, connection and disks",
                "emulator/test_cim_iscsi.py",
                "test_a_session_leads_to_its_target_connection_and_disks",
            ),
            Point(
                "Register makes it persistent: it is there again after a start",
                "emulator/test_initiator.py",
                "test_a_persistent_session_is_there_again_after_a_start",
            ),
        ),
        unlike=(
            Point(
                "secrets are in memory alone: after a start, a persistent session waits for its own",
                "emulator/test_initiator.py",
                "test_a_persistent_session_with_chap_waits_for_its_secret",
            ),
        ),
    )

    def __init__(self, iscsi: Iscsi) -> None:
        super().__init__(iscsi)
        self._methods = {
            "Register": self._register,
            "Unregister": self._unregister,
            "SetCHAPSecret": self._set_secret,
        }

    def _all(self) -> list[Instance]:
        return [session_instance(session, self._initiator.name) for session in self._initiator.sessions()]

    def _register(self, key: str, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        self._initiator.set_persistent(key, persistent=True)
        return {}

    def _unregister(self, key: str, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002
        self._initiator.set_persistent(key, persistent=False)
        return {}

    def _set_secret(self, key: str, arguments: Arguments) -> Mapping[str, Value]:  # noqa: ARG002 - static
        self._initiator.set_secret(_text(arguments, "ChapSecret"))
        return {}


class ConnectionClass(_IscsiClass):
    """Provider of MSFT_iSCSIConnection: a session has one connection while its target answers."""

    schema = MSFT_ISCSI_CONNECTION
    fidelity = Fidelity(
        page="https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsiconnection",
        like=(
            Point(
                "a session has a connection while its target answers",
                "emulator/test_cim_iscsi.py",
                "test_a_session_leads_to_its_target_connection_and_disks",
            ),
        ),
        unlike=(
            Point(
                "never more than one connection a session",
                "emulator/test_cim_iscsi.py",
                "test_a_session_leads_to_its_target_connection_and_disks",
            ),
        ),
    )

    def _all(self) -> list[Instance]:
        return [
            Instance(
                CONNECTION,
                connection_key(session),
                {
                    "ConnectionIdentifier": connection_key(session),
                    "InitiatorAddress": "0.0.0.0",  # noqa: S104 - what Windows says of an address it chose
                    "TargetAddress": session.portal.address,
                    "TargetPortNumber": session.portal.port,
                },
            )
            for session in self._initiator.sessions()
            if session.link
        ]


def portal_key(portal: Portal) -> str:
    """What names an MSFT_iSCSITargetPortal to this server: two ports of one address are two portals."""
    return str(portal)


def session_key(session: Session) -> str:
    """MSFT_iSCSISession.SessionIdentifier."""
    return session.id


def connection_key(session: Session) -> str:
    """MSFT_iSCSIConnection.ConnectionIdentifier: the adapter's address, and a number."""
    return f"{session.id.partition('-')[0]}-1"


def portal_instance(portal: Portal) -> Instance:
    """One MSFT_iSCSITargetPortal."""
    properties: dict[str, Value] = {
        "TargetPortalAddress": portal.address,
        "TargetPortalPortNumber": portal.port,
        "InitiatorInstanceName": None,
        "InitiatorPortalAddress": None,
        "IsHeaderDigest": False,
        "IsDataDigest": False,
    }
    return Instance(PORTAL, portal_key(portal), properties)


def session_instance(session: Session, initiator: str) -> Instance:
    """One MSFT_iSCSISession."""
    properties: dict[str, Value] = {
        "SessionIdentifier": session.id,
        "InitiatorNodeAddress": initiator,
        "InitiatorPortalAddress": "0.0.0.0",  # noqa: S104 - what Windows says of an address it chose
        "TargetNodeAddress": session.target,
        "AuthenticationType": session.chap.authentication,
        "NumberOfConnections": int(session.connected),
        "IsConnected": session.connected,
        "IsPersistent": session.persistent,
        "IsDiscovered": True,
        "IsDataDigest": False,
        "IsHeaderDigest": False,
    }
    return Instance(SESSION, session.id, properties)


def _portal(arguments: Arguments) -> Portal:
    address, port = _text(arguments, "TargetPortalAddress"), arguments["TargetPortalPortNumber"]
    if not address:
        raise IscsiFailure(IscsiStatus.INVALID_PARAMETER, "a portal needs an address")
    return Portal(address, port if isinstance(port, int) and port else DEFAULT_PORT)


def _chap(arguments: Arguments) -> tuple[str, str, str]:
    """Authentication type, user name and secret."""
    return (
        _text(arguments, "AuthenticationType") or iscsi_chap.NONE,
        _text(arguments, "ChapUsername"),
        _text(arguments, "ChapSecret"),
    )


def _text(arguments: Arguments, name: str) -> str:
    value = arguments[name]
    return value if isinstance(value, str) else ""
