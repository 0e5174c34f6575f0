"""The node's door for Windows programs under Wine, which have no unix sockets: loopback TCP with a token.

Whoever can read the token file may come in, as whoever can open the node's socket may: the file is for its
owner only, and says where the door is and what to show there.  Nothing but the token is read from a
connection until it was shown.
"""

import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass, field

from csiproxy.emulator.wire import WireError
from csiproxy.errors import HostError, HostUnreachable

TOKEN_BYTES = 32
TOKEN_LENGTH = 2 * TOKEN_BYTES  # as hexadecimal digits, on the wire and in the file
BACKLOG = 128

# How long a connection may take to show its token (seconds).
PATIENCE = 5.0

_ADDRESS = re.compile(r"(127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})")
_FILE = re.compile(rf"({_ADDRESS.pattern}) ([0-9a-f]{{{TOKEN_LENGTH}}})\n?")
_LARGEST_FILE = 256
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Door:
    """Where a node listens, and what it wants to be shown."""

    host: str
    port: int
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EntrancePlace:
    """Where to listen (``127.0.0.1:0``), and the file to say so in."""

    address: str
    file: str


class Entrance:
    """A door of this process, open until :meth:`close`; its token is a new one at each start.

    HostError for an address that is not of this host alone, OSError when it or the file cannot be had.
    """

    def __init__(self, place: EntrancePlace) -> None:
        import secrets  # here, as it loads OpenSSL, which who dials can do without

        host, port = parse_address(place.address)
        self._file = place.file
        self.socket = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
        try:
            self.door = Door(host, self.socket.getsockname()[1], secrets.token_hex(TOKEN_BYTES))
            _write(place.file, self.door)
        except BaseException:
            self.socket.close()
            raise

    def close(self) -> None:
        """Shut the door and take its file away."""
        self.socket.close()
        with suppress(OSError, WireError):  # else another node has its own file there by now
            if read(self._file) == self.door:
                os.unlink(self._file)

    def admits(self, connection: socket.socket) -> bool:
        """Whether a new connection shows the token; it has :data:`PATIENCE` seconds, and one try."""
        import hmac

        connection.settimeout(PATIENCE)
        try:
            shown = bytearray()
            while len(shown) < TOKEN_LENGTH:
                part = connection.recv(TOKEN_LENGTH - len(shown))
                if not part:
                    return False
                shown += part
        except OSError:
            return False
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return hmac.compare_digest(bytes(shown), self.door.token.encode("ascii"))


def parse_address(text: str) -> tuple[str, int]:
    """Read ``127.0.0.1:PORT`` or ``[::1]:PORT``; HostError for any other: the door is for loopback."""
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match[2]) > _LAST_PORT:
        raise HostError(
            f"{text} is no loopback address with a port: write 127.0.0.1:0, 0 being any free port"
        )
    return match[1].strip("[]"), int(match[2])


def read(file: str) -> Door:
    """Read a token file.  OSError when there is none, WireError when it is something else."""
    with open(file, encoding="ascii", errors="replace") as opened:
        match = _FILE.fullmatch(opened.read(_LARGEST_FILE))
    if match is None:
        raise WireError(f"{file} is no token file of an emulated node")
    return Door(*parse_address(match[1]), match[4])


def dial(file: str) -> socket.socket:
    """Connect to the node whose token file this is, and show the token.

    OSError when there is no file or nobody listens, HostUnreachable when the file is something else.
    """
    try:
        door = read(file)
    except WireError as error:
        raise HostUnreachable(str(error)) from error
    # Not create_connection, which loads what names of hosts need.
    connection = socket.socket(socket.AF_INET6 if ":" in door.host else socket.AF_INET)
    try:
        connection.settimeout(PATIENCE)
        connection.connect((door.host, door.port))
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(door.token.encode("ascii"))
    except BaseException:
        connection.close()
        raise
    return connection


def _write(file: str, door: Door) -> None:
    """Put the file there whole, for its owner only."""
    host = f"[{door.host}]" if ":" in door.host else door.host
    beside = f"{file}.{os.getpid()}"
    with suppress(FileNotFoundError):
        os.unlink(beside)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(f"{host}:{door.port} {door.token}\n")
    os.replace(beside, file)
