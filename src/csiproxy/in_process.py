"""``csiproxy.local()``: the storage operations in this process, for pods that may touch the node themselves.

A HostProcess container needs no proxy.  Its calls go the same way as a proxy's, without the pipe: the same
checks and locks, an audit record for each, the same failures.  It may work beside a proxy on the same node;
they exclude each other per object.
"""

import os
import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import Final, TextIO

from csiproxy import operations
from csiproxy.api.versions import CONTRACTS
from csiproxy.audit.plain_file import PlainFile
from csiproxy.client.client import TIMEOUT, Client, over
from csiproxy.client.retry import Retry
from csiproxy.errors import InvalidArgument
from csiproxy.host import Host
from csiproxy.hosts import open_host
from csiproxy.operations.configuration import STORAGE_SERVICES, Configuration
from csiproxy.rpc.call import Call
from csiproxy.rpc.stream import Peer
from csiproxy.server.audit import Trail
from csiproxy.server.dispatch import Dispatcher
from csiproxy.server.host_steps import StepLog, watched

KUBELET_PATH: Final = r"C:\var\lib\kubelet"
_EMULATOR: Final = "emulator:"


def local(
    host: Host | str = "",
    *,
    kubelet_path: str = KUBELET_PATH,
    working_dirs: tuple[str, ...] = (),
    allow_services: tuple[str, ...] = (),
    require_privacy: bool = True,
    audit_log: str = "",
    log: TextIO | None = None,
    timeout: float = TIMEOUT,
    retry: Retry = Retry(),  # noqa: B008  immutable
) -> Client:
    r"""A client whose calls happen in this process.

    ``host`` is the node: "" for this machine, ``emulator:DIR`` for an emulated node (started when none runs),
    or a port on one.  The rest are the operator's choices, with the defaults of ``csi-proxy serve``: where
    clients may work, which services besides those of storage they may start and stop, whether SMB is
    encrypted.  Audit records are appended to the file ``audit_log``, if there is one; reports about failures
    of the program itself go to ``log`` (standard error).  Unavailable when the node does not answer,
    InvalidArgument for a path that is none, Unimplemented for "" where this machine is no Windows.
    """
    configuration = Configuration(
        kubelet_path=kubelet_path,
        working_dirs=working_dirs,
        csi_plugins_path=kubelet_path + r"\plugins\kubernetes.io\csi",
        pod_path=kubelet_path + r"\pods",
        allow_reformat=False,
        allow_services=(*STORAGE_SERVICES, *allow_services),
        require_privacy=require_privacy,
    )
    log = log or sys.stderr
    steps = StepLog()
    watched_host = watched(host if isinstance(host, Host) else _open(host), steps)
    groups = operations.build(watched_host, configuration)
    sink = PlainFile.open(audit_log or os.devnull)
    trail = Trail(sink, log)

    def release() -> None:
        trail.close()
        sink.close()

    dispatcher = Dispatcher(CONTRACTS, groups, trail, log, steps=steps)
    return over(InProcess(dispatcher, release), timeout=timeout, retry=retry)


def _open(host: str) -> Host:
    directory = host.removeprefix(_EMULATOR)
    if host and (directory == host or not directory):
        raise InvalidArgument(f"host '{host}' is none: write emulator:DIR, or nothing for this machine")
    return open_host(directory)


class InProcess:
    """A transport that ends in this process."""

    where = "in this process"

    def __init__(self, dispatcher: Dispatcher, release: Callable[[], None]) -> None:
        """``release`` gives up what the dispatcher uses, once no call uses it any more."""
        self._dispatcher = dispatcher
        self._release = release
        self._peer = Peer(os.getpid(), None)
        self._lock = Lock()
        self._running = 0
        self._open = True

    def reaches(self, endpoint: str) -> bool:  # noqa: ARG002 - the signature is Transport's
        """Whether an endpoint is served: all are."""
        return True

    def call(self, endpoint: str, method: str, message: bytes, timeout: float) -> bytes:
        """Run a call in the caller's thread."""
        with self._lock:
            if not self._open:
                raise RuntimeError("the client was closed; make another one")
            self._running += 1
        try:
            return self._dispatcher(Call(endpoint, method, message, self._peer, time.monotonic() + timeout))
        finally:
            self._left()

    def _left(self) -> None:
        with self._lock:
            self._running -= 1
            last = not (self._open or self._running)
        if last:
            self._release()

    def close(self) -> None:
        """Give up what calls need, with the last of them."""
        with self._lock:
            last = self._open and not self._running
            self._open = False
        if last:
            self._release()
