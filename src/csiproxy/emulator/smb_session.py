r"""A session with a real SMB server, and what Windows calls the ways in which one fails.

The protocol is spoken by smbprotocol (https://github.com/jborean93/smbprotocol), which is imported when the
first session is made.  https://learn.microsoft.com/openspecs/windows_protocols/ms-erref has both kinds of
codes.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn
from uuid import uuid4

from csiproxy.errors import CimError, Win32Error, WindowsCode

if TYPE_CHECKING:
    from smbprotocol.connection import Connection
    from smbprotocol.session import Session
    from smbprotocol.tree import TreeConnect

# How long a server may take to let a session begin, and to say that it still is there (seconds).
CONNECT_SECONDS, ECHO_SECONDS = 15.0, 5.0
BAD_DEVICE_TYPE = 66

# What a server answers (NTSTATUS), and what Windows makes of that.
CODES: Mapping[int, int] = {
    0xC000006D: WindowsCode.LOGON_FAILURE,
    0xC0000064: WindowsCode.LOGON_FAILURE,  # no such user
    0xC000006A: WindowsCode.LOGON_FAILURE,  # wrong password
    0xC000006E: 1327,  # account restriction
    0xC000006F: 1328,  # logon hours
    0xC0000070: 1329,  # workstation
    0xC0000071: 1330,  # password expired
    0xC0000072: 1331,  # account disabled
    0xC0000193: 1793,  # account expired
    0xC0000224: 1907,  # password must change
    0xC0000234: 1909,  # account locked out
    0xC0000022: WindowsCode.ACCESS_DENIED,
    0xC00000CA: WindowsCode.NETWORK_ACCESS_DENIED,
    0xC00000CB: BAD_DEVICE_TYPE,
    0xC00000CC: WindowsCode.BAD_NET_NAME,
    0xC00000BE: WindowsCode.BAD_NETPATH,
}
NO_MODULE = 0x80070000 | WindowsCode.NOT_SUPPORTED
# Without a handler of its own or of the program's, the library's warnings would go to standard error.
_UNHEARD = logging.NullHandler()
ADVICE = "pip install 'csi-proxy[smb]' on the emulated node's host, and start the node again"


@dataclass(frozen=True, slots=True)
class Login:
    """Where to log on and as whom.  ``host`` and ``port`` are where the server of that name really is."""

    server: str
    share: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    privacy: bool


class SmbSession:
    """A session and a tree connect, from :meth:`open` until :meth:`close`."""

    def __init__(self, connection: "Connection", session: "Session") -> None:
        self._connection = connection
        self._session = session

    @classmethod
    def open(cls, login: Login, *, seconds: float = CONNECT_SECONDS) -> "SmbSession":
        """Connect, log on, and see that the share is there; Win32Error, or CimError without the module.

        The traffic is encrypted if ``privacy`` asks for it, else if the server does.  ``seconds`` is how long
        the server may take for all of it.
        """
        modules = _load()
        connection: Connection = modules.connection.Connection(uuid4(), login.host, login.port)
        with _in_time(connection, seconds):
            _connect(connection, login, seconds)
            try:
                return cls(connection, _log_on(modules, connection, login))
            except BaseException:
                _end(connection)
                raise

    def is_alive(self) -> bool:
        """Whether the server still answers on this session."""
        try:
            self._connection.echo(sid=self._session.session_id, timeout=ECHO_SECONDS)
        except Exception:  # noqa: BLE001 - whatever the reason, there is no answer
            return False
        return True

    def close(self) -> None:
        """Log off, if anybody is there to be told, and disconnect."""
        with suppress(Exception), _in_time(self._connection, ECHO_SECONDS):
            self._session.disconnect(close=True, timeout=ECHO_SECONDS)
        _end(self._connection)


@dataclass(frozen=True, slots=True)
class _Modules:
    connection: ModuleType
    exceptions: ModuleType
    session: ModuleType
    tree: ModuleType


def _load() -> _Modules:
    """Import the library, which has nothing to say itself: a connection that is lost is an exception here."""
    logging.getLogger("smbprotocol").addHandler(_UNHEARD)  # once, however often it is called
    try:
        import smbprotocol.connection
        import smbprotocol.exceptions
        import smbprotocol.session
        import smbprotocol.tree
    except ImportError as error:
        raise CimError(
            NO_MODULE, "MSFT_SmbGlobalMapping.Create", f"{error.name or 'smbprotocol'} is missing: {ADVICE}"
        ) from error
    return _Modules(smbprotocol.connection, smbprotocol.exceptions, smbprotocol.session, smbprotocol.tree)


def _connect(connection: "Connection", login: Login, seconds: float) -> None:
    try:
        connection.connect(timeout=seconds)
    except Exception as error:
        _end(connection)
        raise _refusal(WindowsCode.BAD_NETPATH, f"{login.server} does not answer as an SMB server") from error


def _log_on(modules: _Modules, connection: "Connection", login: Login) -> "Session":
    failures = modules.exceptions
    session: Session = modules.session.Session(
        connection, login.user, login.password, require_encryption=login.privacy, auth_protocol="ntlm"
    )
    if login.privacy and not connection.supports_encryption:
        raise _refusal(WindowsCode.NETWORK_ACCESS_DENIED, f"{login.server} cannot encrypt")
    try:
        session.connect()
    except failures.SMBResponseException as error:
        _fail(error.status, error)
    except (failures.SMBException, OSError) as error:
        code = WindowsCode.BAD_NETPATH if _has_ended(connection) else WindowsCode.LOGON_FAILURE
        raise _refusal(code, "the server broke off the logon") from error
    try:
        tree: TreeConnect = modules.tree.TreeConnect(session, rf"\\{login.server}\{login.share}")
        tree.connect()
    except failures.SMBResponseException as error:
        _fail(error.status, error)
    except (failures.SMBException, OSError) as error:
        raise _refusal(WindowsCode.BAD_NETPATH, "the server broke off the connection") from error
    return session


def _fail(status: int, error: Exception) -> NoReturn:
    code = CODES.get(status, WindowsCode.NETWORK_ACCESS_DENIED)
    raise _refusal(code, f"the server said 0x{status:08x}") from error


def _refusal(code: int, detail: str) -> Win32Error:
    return Win32Error(code, "MSFT_SmbGlobalMapping.Create", detail)


def _has_ended(connection: "Connection") -> bool:
    return not connection.transport or not connection.transport.connected


@contextmanager
def _in_time(connection: "Connection", seconds: float) -> Iterator[None]:
    """Cut a connection off whose server goes silent inside; what waits for it fails then."""
    timer = threading.Timer(seconds, _end, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(connection: "Connection") -> None:
    with suppress(Exception):
        connection.disconnect(close=False)  # also waits for its reader, which ends with the socket
