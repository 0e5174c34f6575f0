"""``csi-proxy serve``: the composition root, and the only place that names a host."""

import os
import queue
import signal
import stat
import sys
from collections.abc import Sequence

from csiproxy import flags, operations
from csiproxy.api import versions
from csiproxy.api.endpoints import socket_path
from csiproxy.api.versions import Contract
from csiproxy.errors import CsiProxyError, HostError, InvalidArgument
from csiproxy.flags import Settings
from csiproxy.host import Host
from csiproxy.rpc.stream import Listener
from csiproxy.server.audit import FileSink, Trail
from csiproxy.server.server import Endpoints, Proxy

SUCCESS, FAILURE, MISCONFIGURED = 0, 1, 2
"""Exit codes: stopped as asked; nothing could be served; the operator has to change a flag first."""


class _Stop(Exception):
    """Ends the start with an exit code and a line for the operator."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def main(argv: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; ``argv`` are the flags behind ``serve``.  Return the exit code."""
    try:
        _run(flags.parse(argv))
    except _Stop as stop:
        sys.stderr.write(f"csi-proxy serve: {stop}\n")
        return stop.code
    except SystemExit as finished:  # argparse has said what there is to say
        return finished.code if isinstance(finished.code, int) else FAILURE
    return SUCCESS


def _run(settings: Settings) -> None:
    contracts = _contracts(settings)
    trail = _trail(settings)
    _prepare_directory(settings.endpoints)
    proxy = Proxy(contracts, _operations(settings), trail, sys.stderr)

    # From here on a signal means an orderly end: what was opened is to be closed again.
    # SimpleQueue.put may interrupt a get of the same thread; the lock inside threading.Event may not.
    signals: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: signals.put(number))

    endpoints = _listen(proxy, settings.endpoints)
    proxy.start()
    _announce(endpoints, settings)
    signals.get()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever presses Ctrl-C twice does not want to wait
    if not proxy.stop(settings.grace):
        sys.stderr.write(f"csi-proxy serve: calls that still ran after {settings.grace:g} s were cancelled\n")
    if trail.lost:
        sys.stderr.write(f"csi-proxy serve: {trail.lost} audit records could not be written\n")


def _contracts(settings: Settings) -> tuple[Contract, ...]:
    try:
        return versions.select(settings.serve, settings.no_serve)
    except InvalidArgument as error:
        raise _Stop(MISCONFIGURED, f"--serve or --no-serve: {error}") from error


def _trail(settings: Settings) -> Trail:
    if settings.audit_log == "-":
        return Trail(FileSink(sys.stderr.fileno()), sys.stderr)
    try:
        return Trail(FileSink.open(settings.audit_log), sys.stderr)
    except OSError as error:
        problem = f"--audit-log {settings.audit_log} cannot be opened ({error.strerror})"
        raise _Stop(MISCONFIGURED, f"{problem}: name a file that you may append to") from error


def _prepare_directory(path: str) -> None:
    """Make the directory of the socket files, or see that nobody else can put files of their own there."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.stat(path)
    except OSError as error:
        message = (
            f"--endpoints {path} cannot be made ({error.strerror}): name a directory that you may write to"
        )
        raise _Stop(MISCONFIGURED, message) from error
    if sys.platform != "win32" and (found.st_uid not in (os.geteuid(), 0) or found.st_mode & stat.S_IWOTH):
        problem = f"--endpoints {path} can be written to by others, who could pose as csi-proxy there"
        raise _Stop(MISCONFIGURED, f"{problem}: name a directory of your own")


def _operations(settings: Settings) -> operations.Operations:
    host = _host(settings.emulator, settings.volumes)
    try:
        return operations.build(host, settings.configuration)
    except InvalidArgument as error:
        raise _Stop(MISCONFIGURED, str(error)) from error
    except (CsiProxyError, HostError) as error:
        raise _Stop(FAILURE, f"the node in {settings.emulator} cannot be used: {error}") from error


def _host(directory: str, volumes: str | None) -> Host:
    from csiproxy.emulator import connect

    try:
        return connect.connect(directory, volumes=volumes)
    except (HostError, OSError) as error:
        raise _Stop(
            FAILURE, f"the emulated node in {directory} cannot be reached or started: {error}"
        ) from error


def _listen(proxy: Proxy, directory: str) -> Endpoints:
    try:
        endpoints = proxy.listen(lambda contract: _open(directory, contract))
    except OSError as error:
        raise _Stop(
            FAILURE, f"no endpoint can be opened in {directory}: {error.strerror or error}"
        ) from error
    if not endpoints.served:
        problem = f"another process already serves every endpoint in {directory}"
        raise _Stop(FAILURE, f"{problem}: stop it, or name another directory")
    return endpoints


def _open(directory: str, contract: Contract) -> Listener:
    if sys.platform == "win32":
        raise _Stop(FAILURE, "this release has no named pipes yet; run it where there are unix sockets")
    else:  # noqa: RET506 - mypy for Windows must not read on
        from csiproxy.rpc.unix import UnixListener

        return UnixListener(socket_path(directory, contract.endpoint), contract.endpoint)


def _announce(endpoints: Endpoints, settings: Settings) -> None:
    """Say that calls are answered, to people on standard output and to programs on ``--ready-fd``."""
    left = (
        f" ({len(endpoints.left)} left to another process: {', '.join(endpoints.left)})"
        if endpoints.left
        else ""
    )
    try:
        sys.stdout.write(f"ready: {len(endpoints.served)} endpoints in {settings.endpoints}{left}\n")
        sys.stdout.flush()
    except OSError:
        pass  # nobody reads it; serving is what counts
    if settings.ready_fd is None:
        return
    try:
        os.write(settings.ready_fd, b"READY\n")
    except OSError:
        pass  # whoever wanted to know has gone
    finally:
        os.close(settings.ready_fd)
