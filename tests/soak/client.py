"""The driver's end of a connection, and how many calls it has made with which end."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.crash.calls import Request

from csiproxy.api.endpoints import socket_path
from csiproxy.errors import Code
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError

# Ends that a client may have made up itself; the proxy's own come with details.
_OURS = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED})
# What says that the request itself is wrong, or that the data are gone: no try will ever succeed.
_FINAL = frozenset(
    {
        Code.INVALID_ARGUMENT.name,
        Code.OUT_OF_RANGE.name,
        Code.UNIMPLEMENTED.name,
        Code.PERMISSION_DENIED.name,
        Code.UNAUTHENTICATED.name,
        Code.DATA_LOSS.name,
    }
)
# The same as Windows says it to CSIProxyService's clients.
_FINAL_CODES = frozenset({5, 23, 87, 123, 161, 206, 1117, 1326, 1392, 1393, 4395})
# A device that fails to read and write (1117) may be one that is away for a moment.
_IO_DEVICE, _IO_STATUS = 1117, Code.DATA_LOSS.name


class Refused(Exception):
    """A call did not give what it was made for; ``windows_code`` where only that is said."""

    def __init__(
        self, rpc: str, status: str, text: str, windows_code: int = 0, *, outages: bool = False
    ) -> None:
        super().__init__(f"{rpc}: {status} {windows_code or ''} {text}")
        self.status = status
        self.windows_code = windows_code
        self._outages = outages

    @property
    def is_final(self) -> bool:
        """Whether no try will ever do better; where devices have ``outages``, their errors pass."""
        if self._outages and (self.status == _IO_STATUS or self.windows_code == _IO_DEVICE):
            return False
        return self.status in _FINAL or self.windows_code in _FINAL_CODES


class Tally:
    """Calls by endpoint, method and end.  Any thread may count.

    ``lost`` are calls whose end at the proxy is not known; ``late`` those among them that a proxy which runs
    yet must have seen, by its number.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answered: Counter[tuple[str, str, bool]] = Counter()
        self.lost: Counter[tuple[str, str]] = Counter()
        self.late: Counter[tuple[str, str, int]] = Counter()

    def count(self, request: Request, *, good: bool) -> None:
        with self._lock:
            self.answered[request.version.endpoint, request.path, good] += 1

    def miss(self, request: Request, proxy: int, *, late: bool) -> None:
        with self._lock:
            self.lost[request.version.endpoint, request.path] += 1
            self.late[request.version.endpoint, request.path, proxy] += late

    @property
    def calls(self) -> int:
        with self._lock:
            return self.answered.total() + self.lost.total()


class Client:
    """Calls of one worker, each contract on a connection of its own.

    ``proxy`` tells the number of the proxy that serves; ``seconds`` is how long a driver waits; ``outages``
    says whether devices go away.
    """

    def __init__(
        self,
        endpoints: str,
        tally: Tally,
        proxy: Callable[[], int],
        seconds: float,
        *,
        outages: bool,
    ) -> None:
        self._outages = outages
        self._endpoints = endpoints
        self._tally = tally
        self._proxy = proxy
        self._seconds = seconds
        self._channels: dict[str, Channel] = {}

    def __call__(self, contract: str, rpc: str, **fields: object) -> Any:
        """The reply, or :class:`Refused`."""
        request = Request(contract, rpc, fields)
        channel = self._channels.get(contract)
        if channel is None:
            path = socket_path(self._endpoints, request.version.endpoint)
            channel = self._channels[contract] = Channel(lambda: unix.connect(path))
        proxy = self._proxy()
        try:
            data = channel.call(request.path, request.message, timeout=self._seconds)
        except RpcError as error:
            if error.code in _OURS and not error.details:
                self._tally.miss(request, proxy, late=error.code is Code.DEADLINE_EXCEEDED)
            else:
                self._tally.count(request, good=False)
            raise Refused(rpc, error.code.name, error.message, outages=self._outages) from error
        reply = request.method.reply.FromString(data)
        code = getattr(reply, "error_code", 0)
        self._tally.count(request, good=not code)
        if code:
            raise Refused(rpc, "error_code", "", code, outages=self._outages)
        if text := getattr(reply, "error", ""):
            raise Refused(rpc, "error", text)
        return reply

    def close(self) -> None:
        """Hang up; the next call connects again."""
        for channel in self._channels.values():
            channel.close()
