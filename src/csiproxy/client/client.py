"""The client: one attribute a group."""

import os
import sys
import time
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from csiproxy.client import probe
from csiproxy.client.caller import Caller
from csiproxy.client.csi_proxy_service import CsiProxyService
from csiproxy.client.disk import Disk
from csiproxy.client.filesystem import Filesystem
from csiproxy.client.iscsi import Iscsi
from csiproxy.client.retry import Retry
from csiproxy.client.smb import Smb
from csiproxy.client.system import System
from csiproxy.client.transport import Transport
from csiproxy.client.volume import Volume
from csiproxy.client.wire import CONNECTIONS, Wire

if TYPE_CHECKING:
    from csiproxy.client.asynchronous import AsyncClient

TIMEOUT: Final = 120.0
"""Seconds that a call may take: as long as kubelet gives a CSI call."""
ENDPOINTS_VARIABLE: Final = "CSI_PROXY_ENDPOINTS"
"""The environment variable that names the directory of socket files where :func:`connect` is told none."""


class Client:
    """A node's storage.  Threads share a client; calls go on side by side.

    Each group speaks the newest stable version that the node serves, or the next best one.  A call that fails
    raises one of the classes of :mod:`csiproxy.errors`, whose ``windows_code`` says what Windows said.
    """

    def __init__(self, caller: Caller, *, deadline: float | None = None) -> None:
        """``deadline`` is on the clock of :func:`time.monotonic`; None: each call has the usual time-out."""
        self._caller = caller
        self._deadline = deadline
        perform = partial(caller.perform, deadline=deadline)
        self.disk = Disk(perform)
        self.filesystem = Filesystem(perform)
        self.volume = Volume(perform)
        self.smb = Smb(perform)
        self.iscsi = Iscsi(perform)
        self.system = System(perform)
        self.csi_proxy_service = CsiProxyService(perform)

    def within(self, seconds: float) -> "Client":
        """The same node with one deadline for everything that is asked of the client that this gives.

        For the calls of one CSI request: ``client.within(context_seconds)``.  It shares the connections, and
        needs no close.  The earlier of two deadlines counts.
        """
        end = time.monotonic() + seconds
        if self._deadline is not None:
            end = min(end, self._deadline)
        return Client(self._caller, deadline=end)

    def served(self) -> tuple[str, ...]:
        """The versions that the node serves now (``disk/v1``), by group, the preferred one of each first."""
        return probe.served(self._caller.transport)

    def asynchronous(self, *, threads: int = CONNECTIONS) -> "AsyncClient":
        """The same node for asyncio, at most ``threads`` calls going on at the same time.

        What this gives closes this client.
        """
        from csiproxy.client.asynchronous import AsyncClient  # here: asyncio is for those who use it

        return AsyncClient(self, threads=threads)

    @property
    def caller(self) -> Caller:
        """What performs the calls."""
        return self._caller

    @property
    def deadline(self) -> float | None:
        """The deadline of every call, on the clock of :func:`time.monotonic`; None for none."""
        return self._deadline

    def close(self) -> None:
        """Hang up.  Calls that go on end as they would."""
        self._caller.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    endpoints: str | os.PathLike[str] | None = None,
    *,
    timeout: float = TIMEOUT,
    retry: Retry = Retry(),  # noqa: B008  immutable
    connections: int = CONNECTIONS,
) -> Client:
    r"""A client of the csi-proxy of a node; it connects when it is first used.

    On Windows that is the proxy behind ``\\.\pipe\csi-proxy-…``.  Elsewhere ``endpoints`` is the directory of
    its socket files (``csi-proxy serve --endpoints``), or else the environment's CSI_PROXY_ENDPOINTS;
    ValueError where neither is given.  ``timeout`` is for calls without a deadline (seconds), ``connections``
    how many calls to one endpoint go on at the same time.
    """
    directory = (
        "" if sys.platform == "win32" else os.fspath(endpoints or os.environ.get(ENDPOINTS_VARIABLE, ""))
    )
    if not directory and sys.platform != "win32":
        raise ValueError(
            f"where is the proxy? Name the directory of its sockets, or set {ENDPOINTS_VARIABLE}"
        )
    return over(Wire(directory, connections=connections), timeout=timeout, retry=retry)


def over(
    transport: Transport,
    *,
    timeout: float = TIMEOUT,
    retry: Retry = Retry(),  # noqa: B008  immutable
) -> Client:
    """A client over any other way to a node's endpoints."""
    return Client(Caller(transport, timeout=timeout, retry=retry))
