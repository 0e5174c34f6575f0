"""Connections of the emulated initiator: discovery, login with CHAP, and SCSI commands to a unit.

Every call ends in bounded time, and none holds a lock of the node.  What goes wrong is an
:class:`~csiproxy.emulator.iscsi_status.IscsiFailure` with the status that Windows' initiator would give.
"""

import re
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

from csiproxy.emulator import libiscsi
from csiproxy.emulator.iscsi_chap import Chap
from csiproxy.emulator.iscsi_records import Portal
from csiproxy.emulator.iscsi_status import LOGIN_STATUS, IscsiFailure, IscsiStatus
from csiproxy.emulator.libiscsi import CheckCondition, Context, LibiscsiError, LibiscsiMissing, LinkLost

# Seconds until a portal that does not answer has failed: to resolve its name, to connect, to log in.
RESOLVE_SECONDS, CONNECT_SECONDS, LOGIN_SECONDS = 5.0, 5.0, 5.0
LOGOUT_SECONDS = 2.0
# A command waits no longer than this, since somebody may be holding the node's disks meanwhile.
COMMAND_SECONDS = 4.0
# A unit attention is told once per cause (reset, changed medium, changed capacity).
_ATTENTIONS = 4
_UNIT_ATTENTION, _DATA_PROTECT = 6, 7

# What libiscsi says of a login that failed: "Status: Authentication failure(513)".
_STATUS = re.compile(r"Status: .*\((\d+)\)")
_OTHER_NAME = re.compile(r"Wrong CHAP targetname received: (.+)")

T = TypeVar("T")


class UnitRefuses(Exception):
    """A unit refuses a command.  ``protected``: because its medium is write-protected."""

    def __init__(self, protected: bool, text: str) -> None:
        super().__init__(text)
        self.protected = protected


class Link:
    """One connection, logged in to ``target``; empty is a discovery session.

    ``lost`` says that it has ended or does not answer; then every further command fails at once.
    """

    def __init__(self, initiator: str, portal: Portal, target: str, chap: Chap) -> None:
        self.lost = False
        try:
            self._context = self._logged_in(initiator, portal, target, chap)
        except LibiscsiMissing as error:
            raise IscsiFailure(IscsiStatus.REQUEST_NOT_SUPPORTED, str(error)) from error

    @staticmethod
    def _logged_in(initiator: str, portal: Portal, target: str, chap: Chap) -> Context:
        libiscsi.load()
        address = _reachable(portal)
        # libiscsi wants to know beforehand what the target calls itself.  Windows takes any name, and so does
        # this: a name proves nothing, the secret does.
        name = initiator
        while True:
            context = Context(initiator, target)
            try:
                return _log_in(context, portal, address, chap, name)
            except LibiscsiError as error:
                context.close()
                other = _OTHER_NAME.search(str(error))
                if other is None or other[1] == name or name != initiator:
                    raise _login_failure(error, portal, target) from error
                name = other[1]
            except BaseException:
                context.close()
                raise

    def discover(self) -> list[str]:
        """The names of the targets that the portal offers."""
        return [name for name, _ in self._guarded(lambda: self._context.discover(LOGIN_SECONDS))]

    def ping(self) -> None:
        """Find out whether the target still answers."""
        self._guarded(lambda: self._context.ping(COMMAND_SECONDS))

    def command(self, lun: int, cdb: bytes, *, expect: int = 0, data: bytes = b"") -> bytes:
        """Send a command to a unit.  UnitRefuses when that does not want it, IscsiFailure when it is lost."""
        for attempt in range(_ATTENTIONS):
            try:
                return self._guarded(
                    lambda: self._context.command(lun, cdb, COMMAND_SECONDS, expect=expect, data=data)
                )
            except CheckCondition as error:
                if error.key != _UNIT_ATTENTION or attempt == _ATTENTIONS - 1:
                    raise UnitRefuses(error.key == _DATA_PROTECT, str(error)) from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Log out, if the target still answers, and end the connection."""
        try:
            if not self.lost:
                self._context.log_out(LOGOUT_SECONDS)
        except LibiscsiError:
            pass  # whoever does not answer keeps no session either: its connection ends here
        finally:
            self.drop()

    def drop(self) -> None:
        """End the connection without a word."""
        self.lost = True
        self._context.close()

    def _guarded(self, call: Callable[[], T]) -> T:
        if self.lost:
            raise IscsiFailure(IscsiStatus.TRANSPORT_ERROR, "the connection to the target is lost")
        try:
            return call()
        except CheckCondition:
            raise
        except LibiscsiError as error:
            self.lost = True
            raise IscsiFailure(IscsiStatus.TRANSPORT_ERROR, f"the target is lost: {error}") from error


def _log_in(context: Context, portal: Portal, address: str, chap: Chap, name: str) -> Context:
    if chap.secret:
        context.authenticate(chap.name, chap.secret)
    if chap.target_secret:
        context.demand(name, chap.target_secret)
    context.connect(str(Portal(address, portal.port)), CONNECT_SECONDS)
    context.log_in(LOGIN_SECONDS)
    return context


def _login_failure(error: LibiscsiError, portal: Portal, target: str) -> IscsiFailure:
    """What Windows says of a login that failed, from what the library says of it."""
    said = str(error)
    where = f"{target or 'discovery'} at {portal}"
    if isinstance(error, LinkLost):
        return IscsiFailure(IscsiStatus.CONNECTION_FAILED, f"{where}: {said}")
    code = _STATUS.search(said)
    if code:
        status = LOGIN_STATUS.get(int(code[1]), IscsiStatus.LOGIN_FAILED)
        return IscsiFailure(status, f"{where} refuses the login ({int(code[1]):#06x})")
    if "CHAP" in said or "uthentication" in said:
        return IscsiFailure(IscsiStatus.AUTHENTICATION_FAILURE, f"{where} does not prove who it is")
    return IscsiFailure(IscsiStatus.LOGIN_FAILED, f"{where}: {said}")


def _reachable(portal: Portal) -> str:
    """The first IP address of a portal that takes a connection."""
    failure = IscsiFailure(IscsiStatus.CONNECTION_FAILED, f"nothing answers at {portal}")
    for address in _resolved(portal):
        try:
            socket.create_connection((address, portal.port), CONNECT_SECONDS).close()
        except OSError as error:
            text = f"no connection to {portal}: {error.strerror or 'it does not answer in time'}"
            failure = IscsiFailure(IscsiStatus.CONNECTION_FAILED, text)
        else:
            return address
    raise failure


def _resolved(portal: Portal) -> list[str]:
    """The IP addresses of a portal.  The host's resolver knows no time-out, so it runs on the side."""
    found: list[str] = []

    def resolve() -> None:
        try:
            answers = socket.getaddrinfo(portal.address, portal.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(answer[4][0]) for answer in answers))

    resolver = threading.Thread(target=resolve, name="resolver", daemon=True)
    resolver.start()
    resolver.join(RESOLVE_SECONDS)
    if not found:
        raise IscsiFailure(IscsiStatus.DNS_NAME_UNRESOLVED, f"{portal.address} is no name that resolves")
    return list(found)
