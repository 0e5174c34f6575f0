"""The client for asyncio: the same calls in a bounded number of threads.

The calls, their versions, deadlines and retries are the synchronous client's.  A call that is cancelled while
it waits for a thread is never made.  One that has begun goes on in its thread until it ends, or until its
deadline at the latest, and its result is dropped; so a cancelled change may still happen, as it may with
every server, and nothing else is disturbed by it.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from csiproxy.client import probe
from csiproxy.client.call import Call
from csiproxy.client.client import Client
from csiproxy.client.csi_proxy_service import AsyncCsiProxyService
from csiproxy.client.disk import AsyncDisk
from csiproxy.client.filesystem import AsyncFilesystem
from csiproxy.client.iscsi import AsyncIscsi
from csiproxy.client.smb import AsyncSmb
from csiproxy.client.system import AsyncSystem
from csiproxy.client.volume import AsyncVolume


class AsyncClient:
    """A node's storage, for asyncio; see :class:`csiproxy.client.Client`, which :meth:`aclose` closes."""

    def __init__(self, client: Client, *, threads: int) -> None:
        self._use(client, ThreadPoolExecutor(threads, thread_name_prefix="csi-proxy-client"))

    def _use(self, client: Client, threads: ThreadPoolExecutor) -> None:
        self._client = client
        self._threads = threads
        self.disk = AsyncDisk(self._perform)
        self.filesystem = AsyncFilesystem(self._perform)
        self.volume = AsyncVolume(self._perform)
        self.smb = AsyncSmb(self._perform)
        self.iscsi = AsyncIscsi(self._perform)
        self.system = AsyncSystem(self._perform)
        self.csi_proxy_service = AsyncCsiProxyService(self._perform)

    async def _perform(self, call: Call[Any]) -> Any:
        """Waiting for a thread counts: the deadline is fixed before."""
        caller, deadline = self._client.caller, self._client.deadline
        if deadline is None:
            deadline = time.monotonic() + caller.timeout
        return await asyncio.get_running_loop().run_in_executor(self._threads, caller.perform, call, deadline)

    def within(self, seconds: float) -> "AsyncClient":
        """The same node with one deadline for everything asked of the client that this gives; no close."""
        view = object.__new__(AsyncClient)
        view._use(self._client.within(seconds), self._threads)
        return view

    async def served(self) -> tuple[str, ...]:
        """The versions that the node serves now (``disk/v1``), by group, the preferred one of each first."""
        transport = self._client.caller.transport
        return await asyncio.get_running_loop().run_in_executor(self._threads, probe.served, transport)

    async def aclose(self) -> None:
        """Hang up.  Calls that wait for a thread are cancelled; those that go on end on their own."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
