"""Is this Windows fit: its version, this account, the folder for data, and who serves the pipes."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.api import versions
from csiproxy.api.endpoints import pipe_name
from csiproxy.doctor.checks import Check, State, failed
from csiproxy.rpc import pipe_api as api
from csiproxy.rpc import pipe_peer
from csiproxy.rpc.pipe import open_pipe
from csiproxy.rpc.pipe_listener import probe
from csiproxy.rpc.stream import EndpointInUse, EndpointUntrusted
from csiproxy.windows import data_folder, privileges
from csiproxy.windows.services import ServiceError, this_systems

OLDEST_BUILD: Final = 17763
"""Windows Server 2019: the oldest that Kubernetes has nodes of."""
_SERVICE: Final = "csiproxy"


def of_this_machine() -> Iterator[Check]:
    """What Windows tells of itself and of this account."""
    yield _version()
    yield _account()
    yield _link_privilege()
    yield _data_folder()
    yield _service()
    yield from _pipes()


def _version() -> Check:
    version = sys.getwindowsversion()
    seen = f"{version.major}.{version.minor}.{version.build}"
    if version.build < OLDEST_BUILD:
        return Check("Windows", State.FAILED, seen, "use Windows Server 2019 or newer")
    return Check("Windows", State.OK, seen)


def _account() -> Check:
    step = "run csi-proxy as the system (as a service) or as an administrator (elevated)"
    try:
        account = pipe_peer.account_of(os.getpid())
    except OSError as error:
        return failed("account", error, step)
    name = pipe_peer.account_name(account.user)
    if not account.privileged:
        return Check("account", State.FAILED, f"{name} is neither the system nor an administrator", step)
    return Check("account", State.OK, name)


def _link_privilege() -> Check:
    name = privileges.CREATE_SYMBOLIC_LINK
    try:
        held = privileges.enable(name)
    except OSError as error:
        return failed("links", error, "run csi-proxy as the system or as an administrator")
    if not held:
        step = "give it to the account (secpol.msc, Create symbolic links), or run csi-proxy as the system"
        return Check("links", State.FAILED, f"this account does not have {name}", step)
    return Check("links", State.OK, f"{name} is on")


def _data_folder() -> Check:
    try:
        return Check("data folder", State.OK, data_folder.prepare())
    except OSError as error:
        return failed("data folder", error, "see who made it, and remove it if it was not csi-proxy")


def _service() -> Check:
    try:
        status = this_systems().status(_SERVICE)
    except ServiceError as error:
        return Check("service", State.NOTE, str(error), "csi-proxy service install")
    state = State.OK if status.state == "running" else State.NOTE
    seen = f"{status.state}: {status.command}"
    return Check("service", state, seen, "" if state is State.OK else "csi-proxy service start")


def _pipes() -> Iterator[Check]:
    """Who serves the endpoints: one line for each server, and one for those that nobody serves."""
    served: dict[str, list[str]] = {}
    free = []
    for contract in versions.CONTRACTS:
        try:
            probe(pipe_name(contract.endpoint))
        except EndpointUntrusted as error:
            yield Check(f"pipe {contract.endpoint}", State.FAILED, error.strerror or "", "end that process")
        except EndpointInUse:
            served.setdefault(_server(contract.endpoint), []).append(contract.endpoint)
        except OSError as error:
            yield failed(f"pipe {contract.endpoint}", error, "see what the process does that has the pipe")
        else:
            free.append(contract.endpoint)
    for server, endpoints in served.items():
        yield Check("pipes", State.OK, f"{server} serves {len(endpoints)}")
    if free:
        step = "csi-proxy service start" if not served else "csi-proxy serve takes what is free"
        seen = "nobody serves any" if not served else f"nobody serves {', '.join(free)}"
        yield Check("pipes", State.NOTE, seen, step)


def _server(endpoint: str) -> str:
    """The process that serves at an endpoint."""
    with suppress(OSError):
        access = api.GENERIC_READ | api.GENERIC_WRITE
        handle = open_pipe(pipe_name(endpoint), access, api.SECURITY_ANONYMOUS)
        try:
            server = pipe_peer.server_of(handle)
            return f"process {server.pid} ({server.image}) of {server.account}"
        finally:
            api.close_handle(handle)
    return "a process that has just gone"
