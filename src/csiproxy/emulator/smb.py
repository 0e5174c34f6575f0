r"""MSFT_SmbGlobalMapping of the emulated node: each mapping is a session with a real server.

What a mapping is remembered by stands in the state, without its credentials.  So after a restart of the node
it is still listed, as ``Disconnected``, and has to be removed before it can be made anew: that is what
Windows shows after a restart.
"""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from secrets import token_bytes

from csiproxy.emulator.cim_provider import Arguments
from csiproxy.emulator.fidelity import Fidelity, Point
from csiproxy.emulator.smb_servers import SmbServers
from csiproxy.emulator.smb_session import Login, SmbSession
from csiproxy.emulator.smb_shares import Shares
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.cim import Instance, Result, Value
from csiproxy.host.schema import MSFT_SMB_GLOBAL_MAPPING, SMB_GLOBAL_MAPPING

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS smb_mappings (
         remote_path     TEXT PRIMARY KEY COLLATE NOCASE,
         require_privacy INTEGER NOT NULL
       )""",
)
OK, DISCONNECTED = 0, 2
_CREATE = f"{SMB_GLOBAL_MAPPING}.Create"
_SHARE = re.compile(r"\\\\([^\\/]+)\\([^\\/]+)")
# The user with "\" and ":" escaped, a colon, the password.
_CREDENTIAL = re.compile(r"((?:[^\\:]|\\.)*):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Live:
    """A mapping whose session this process holds, and who it is for, as a digest."""

    session: SmbSession
    server: str
    share: str
    digest: bytes


class SmbGlobalMappings:
    """The mappings of a node.  Thread-safe: what takes long, takes no lock."""

    def __init__(self, state: State, servers: SmbServers, shares: Shares) -> None:
        self._state = state
        self._servers = servers
        self._shares = shares
        self._key = token_bytes(32)
        self._lock = threading.Lock()
        self._live: dict[str, _Live] = {}

    def all(self) -> list[tuple[str, bool]]:
        """Every mapping's remote path, and whether it is for encrypted traffic only."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT remote_path, require_privacy FROM smb_mappings").fetchall()
        return [(str(path), bool(privacy)) for path, privacy in rows]

    def status(self, remote_path: str) -> int:
        """MSFT_SmbGlobalMapping.Status, asking the server."""
        with self._lock:
            live = self._live.get(remote_path.lower())
        if live is None or not self._shares.is_shown(live.server, live.share):
            return DISCONNECTED
        return OK if live.session.is_alive() else DISCONNECTED

    def create(self, remote_path: str, credential: str | None, *, privacy: bool) -> None:
        """Log on and map a share; Win32Error, or CimError where this host lacks a module."""
        named = _SHARE.fullmatch(remote_path)
        if named is None:
            raise Win32Error(WindowsCode.INVALID_PARAMETER, _CREATE, "the path is no share")
        server, share = named[1], named[2]
        user, password = _parts(credential)
        both = f"{user.lower()}\0{password}".encode("utf-8", "surrogatepass")
        digest = blake2b(both, key=self._key).digest()
        self._refuse_conflict(remote_path, server, digest)
        host, port = self._servers.place(server)
        login = Login(server, share, host, port, user, password, privacy)
        session = SmbSession.open(login)
        try:
            self._remember(remote_path, _Live(session, server, share, digest), privacy=privacy)
        except BaseException:
            session.close()
            raise
        self._shares.mount(login)

    def remove(self, remote_path: str) -> bool:
        """End a mapping; False when there is none."""
        with self._lock:
            live = self._live.pop(remote_path.lower(), None)
        if live is not None:
            self._shares.unmount(live.server, live.share)
            live.session.close()
        with self._state.transaction() as db:
            return bool(db.execute("DELETE FROM smb_mappings WHERE remote_path = ?", (remote_path,)).rowcount)

    def reset(self) -> None:
        """Forget every mapping."""
        for path, _ in self.all():
            self.remove(path)

    def close(self) -> None:
        """End every session; what is remembered stays."""
        self._shares.close()
        with self._lock:
            live, self._live = self._live, {}
        for one in live.values():
            one.session.close()

    def _refuse_conflict(self, remote_path: str, server: str, digest: bytes) -> None:
        """One set of credentials for a server, and one mapping for a path."""
        with self._lock:
            others = [one for one in self._live.values() if one.server.lower() == server.lower()]
        listed = any(path.lower() == remote_path.lower() for path, _ in self.all())
        if listed or any(one.digest != digest for one in others):
            raise Win32Error(
                WindowsCode.SESSION_CREDENTIAL_CONFLICT, _CREATE, f"there is a connection to {server} already"
            )

    def _remember(self, remote_path: str, live: _Live, *, privacy: bool) -> None:
        with self._lock:
            if remote_path.lower() in self._live:
                raise Win32Error(
                    WindowsCode.SESSION_CREDENTIAL_CONFLICT, _CREATE, "somebody else has just mapped it"
                )
            self._live[remote_path.lower()] = live
        try:
            with self._state.transaction() as db:
                db.execute("INSERT OR REPLACE INTO smb_mappings VALUES (?, ?)", (remote_path, privacy))
        except BaseException:
            with self._lock:
                del self._live[remote_path.lower()]
            raise


def _parts(credential: str | None) -> tuple[str, str]:
    """The user and the password of Create's Credential."""
    if credential is None:
        raise Win32Error(
            WindowsCode.LOGON_FAILURE, _CREATE, "the emulated node has no account of its own; give a user"
        )
    match = _CREDENTIAL.fullmatch(credential)
    if match is None:
        raise Win32Error(WindowsCode.INVALID_PARAMETER, _CREATE, "the credential is malformed")
    user = re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL)
    if "\\" not in user and "@" not in user:
        raise Win32Error(WindowsCode.NO_SUCH_LOGON_SESSION, _CREATE)
    return user, match[2]


class SmbGlobalMappingClass:
    """Provider of MSFT_SmbGlobalMapping."""

    schema = MSFT_SMB_GLOBAL_MAPPING
    fidelity = Fidelity(
        page="https://learn.microsoft.com/powershell/module/smbshare/new-smbglobalmapping",
        like=(
            Point(
                "Create logs in at the real server; its refusals have Windows' codes",
                "emulator/test_smb_session.py",
                "test_refusals_have_windows_codes",
            ),
            Point(
                "RequirePrivacy demands encryption of the server (53 without it)",
                "emulator/test_smb_session.py",
                "test_a_server_without_encryption_is_refused_where_it_is_required",
            ),
            Point(
                "one mapping a path, and one account a server (1219)",
                "emulator/test_smb.py",
                "test_one_path_is_mapped_once_and_one_server_with_one_account",
            ),
            Point(
                "after a restart a mapping is Disconnected and in the way until it is removed",
                "emulator/test_smb.py",
                "test_after_a_restart_a_mapping_is_disconnected_and_in_the_way",
            ),
        ),
        unlike=(
            Point(
                "no LocalPath (50), no account of the node's own (1326), NTLM alone",
                "emulator/test_smb.py",
                "test_what_windows_refuses_is_refused_before_the_server_is_asked",
            ),
            Point(
                "a session whose server went away is Disconnected, and does not come back by itself",
                "emulator/test_smb.py",
                "test_the_status_follows_the_server",
            ),
        ),
    )

    def __init__(self, mappings: SmbGlobalMappings) -> None:
        self._mappings = mappings

    def instances(self, where: Mapping[str, Value]) -> list[Instance]:
        """The mappings; the status of one that is not asked for is not asked of its server."""
        wanted = where.get("RemotePath")
        return [
            self._instance(path, privacy)
            for path, privacy in self._mappings.all()
            if not isinstance(wanted, str) or path.lower() == wanted.lower()
        ]

    def invoke(self, key: str | None, method: str, arguments: Arguments) -> Result:
        """Create and Remove, which return Win32 codes."""
        if method == "Remove":
            return Result(0 if self._mappings.remove(key or "") else WindowsCode.NOT_CONNECTED, {})
        outputs: dict[str, Value] = {"CreatedMapping": None}
        remote_path, credential = arguments["RemotePath"], arguments["Credential"]
        if arguments["LocalPath"] is not None:
            return Result(WindowsCode.NOT_SUPPORTED, outputs)  # no drive letters here
        privacy = arguments["RequirePrivacy"] is True
        try:
            self._mappings.create(
                str(remote_path), str(credential) if credential is not None else None, privacy=privacy
            )
        except Win32Error as error:
            return Result(error.windows_code, outputs)
        return Result(0, {"CreatedMapping": self._instance(str(remote_path), privacy)})

    def _instance(self, path: str, privacy: bool) -> Instance:
        properties: dict[str, Value] = {
            "LocalPath": "",
            "RemotePath": path,
            "RequireIntegrity": False,
            "RequirePrivacy": privacy,
            "Status": self._mappings.status(path),
            "UseWriteThrough": False,
        }
        return Instance(SMB_GLOBAL_MAPPING, path, properties)
