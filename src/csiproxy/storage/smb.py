r"""SMB global mappings: MSFT_SmbGlobalMapping, the sessions that the whole node shares.

Microsoft has no page for the class; https://learn.microsoft.com/powershell/module/smbshare/new-smbglobalmapping
tells of its use.  Its methods return Win32 codes.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from csiproxy.errors import CimError, CsiProxyError, Win32Error, WindowsCode
from csiproxy.host.cim import Instance, Session, Value
from csiproxy.storage.codes import judge, judged
from csiproxy.wiping import forget_locals, wipe

MAPPING = "MSFT_SmbGlobalMapping"
# The method was called on a mapping that has gone: WBEM_E_NOT_FOUND.
_OBJECT_GONE = 0x80041002
_GONE = (WindowsCode.NOT_CONNECTED, WindowsCode.NOT_FOUND)


class Status(Enum):
    """MSFT_SmbGlobalMapping.Status, as MSFT_SmbMapping's page has it."""

    OK = 0
    PAUSED = 1
    DISCONNECTED = 2
    NETWORK_ERROR = 3
    CONNECTING = 4
    RECONNECTING = 5
    UNAVAILABLE = 6


class Password(Protocol):
    """A password that shows its text to nobody but who asks for it so."""

    def revealed(self) -> AbstractContextManager[str]:
        """The text, for a while."""
        ...


@dataclass(frozen=True, slots=True)
class SmbMapping:
    r"""A mapping as Windows reports it.  ``remote_path`` is ``\\server\share``."""

    remote_path: str
    status: Status
    requires_privacy: bool
    instance: Instance

    @property
    def is_ok(self) -> bool:
        """Whether its session is up, as far as Windows knows."""
        return self.status is Status.OK


class SmbMappings:
    """The global mappings of the node.  Windows compares their paths as text, so they are in lower case."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[SmbMapping]:
        """Every mapping, by path."""
        with judged("list the SMB mappings"):
            found = self._session.instances(MAPPING)
        return sorted(map(_mapping, found), key=lambda mapping: mapping.remote_path)

    def find(self, share: str) -> SmbMapping | None:
        r"""The mapping of ``\\server\share``, or None."""
        with judged(f"look for a mapping of {share}"):
            found = self._session.instances(MAPPING, RemotePath=share)
        return _mapping(found[0]) if found else None

    def create(self, share: str, user: str, password: Password, *, require_privacy: bool) -> None:
        """Log on to a server and map a share; without a user as the node's own account."""
        parameters: dict[str, Value] = {"RemotePath": share, "RequirePrivacy": require_privacy}
        if not user:
            self._call(MAPPING, "Create", f"map {share}", parameters)
            return
        with password.revealed() as text:
            whole = credential(user, text)
            try:
                self._call(MAPPING, "Create", f"map {share}", {**parameters, "Credential": whole})
            except BaseException as error:
                forget_locals(error)
                raise
            finally:
                wipe(whole)

    def remove(self, mapping: SmbMapping) -> None:
        """Take a mapping away, whoever has files open; one that has gone is fine."""
        self._call(
            mapping.instance, "Remove", f"unmap {mapping.remote_path}", {"Force": True}, gone_is_fine=True
        )

    def _call(
        self,
        target: Instance | str,
        method: str,
        what: str,
        parameters: Mapping[str, Value],
        *,
        gone_is_fine: bool = False,
    ) -> None:
        called = f"{MAPPING}.{method}"
        try:
            with judged(what):
                code = self._session.invoke(target, method, **parameters).return_value
        except CsiProxyError as error:
            if gone_is_fine and _says_gone(error.__cause__):
                return
            raise
        if code and not (gone_is_fine and code in _GONE):
            raise judge(Win32Error(code, called), what)


def credential(user: str, password: str) -> str:
    r"""The text that Create takes: the user with ``\`` and ``:`` escaped, a colon, the password as it is."""
    return user.replace("\\", "\\\\").replace(":", "\\:") + ":" + password


def _says_gone(cause: BaseException | None) -> bool:
    return isinstance(cause, CimError) and cause.hresult == _OBJECT_GONE


def _mapping(instance: Instance) -> SmbMapping:
    number = instance.number("Status")
    known = {status.value: status for status in Status}
    return SmbMapping(
        remote_path=instance.text("RemotePath"),
        # What is not documented is not known to work.
        status=known.get(number, Status.UNAVAILABLE),
        requires_privacy=instance.flag("RequirePrivacy"),
        instance=instance,
    )
