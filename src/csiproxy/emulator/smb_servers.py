"""Where the servers are that shares are named by: a name server that the operator fills, and the real one."""

import re

from csiproxy.emulator.inventory import SmbServerReport
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error, WindowsCode

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS smb_servers (
         name TEXT PRIMARY KEY COLLATE NOCASE,
         host TEXT NOT NULL,
         port INTEGER NOT NULL
       )""",
)
PORT = 445
_HIGHEST_PORT = 65535
_IPV6_LITERAL = ".ipv6-literal.net"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,253}", re.ASCII)


class SmbServers:
    """The servers of a node; a name that the operator has not placed is the network's, at port 445."""

    def __init__(self, state: State) -> None:
        self._state = state

    def set(self, name: str, host: str, port: int) -> None:
        """Let a name mean a server at ``host`` and ``port`` from now on."""
        if not _NAME.fullmatch(name) or not host or not 0 < port <= _HIGHEST_PORT:
            text = f"{name}={host}:{port} is no place of a server: write NAME=HOST:PORT"
            raise Win32Error(WindowsCode.INVALID_PARAMETER, "smb-server", text)
        with self._state.transaction() as db:
            db.execute("INSERT OR REPLACE INTO smb_servers VALUES (?, ?, ?)", (name, host, port))

    def remove(self, name: str) -> None:
        """Let a name be the network's again."""
        with self._state.transaction() as db:
            if not db.execute("DELETE FROM smb_servers WHERE name = ?", (name,)).rowcount:
                raise Win32Error(WindowsCode.NOT_FOUND, "smb-server", f"no place was given for {name}")

    def place(self, name: str) -> tuple[str, int]:
        """The host and port of a server."""
        with self._state.transaction() as db:
            row = db.execute("SELECT host, port FROM smb_servers WHERE name = ?", (name,)).fetchone()
        if row:
            return str(row[0]), int(row[1])
        if name.lower().endswith(_IPV6_LITERAL):
            return name[: -len(_IPV6_LITERAL)].replace("-", ":").replace("s", "%"), PORT
        return name, PORT

    def reports(self) -> tuple[SmbServerReport, ...]:
        """Every name that the operator has placed."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT name, host, port FROM smb_servers ORDER BY name").fetchall()
        return tuple(SmbServerReport(str(name), str(host), int(port)) for name, host, port in rows)


def parse(text: str) -> SmbServerReport:
    """Read ``NAME=HOST:PORT``, an IPv6 address in brackets; ValueError."""
    match = re.fullmatch(r"([^=]+)=(?:\[([^\]]+)\]|([^:\[\]]+)):([0-9]{1,5})", text, re.ASCII)
    if match is None or not _NAME.fullmatch(match[1]) or not 0 < int(match[4]) <= _HIGHEST_PORT:
        raise ValueError(f"'{text}' is not of the form NAME=HOST:PORT")
    return SmbServerReport(match[1], match[2] or match[3], int(match[4]))
