"""The registrar as a program: ask the driver for its name, then serve kubelet."""

import os
import re
import sys
from collections.abc import Sequence
from time import monotonic, sleep
from typing import Final

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.csi.process import Ending, serve, write_ready
from csiproxy.csi.serving import server
from csiproxy.errors import CsiProxyError
from csiproxy.node.registrar.health import HealthServer
from csiproxy.node.registrar.registration import SERVICE, Registration
from csiproxy.node.registrar.settings import Settings, parse
from csiproxy.rpc.status import RpcError

CONNECT_SECONDS: Final = 30.0
"""How long the driver may take to open its socket."""
_PAUSE: Final = 1.0
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
"""What a driver may be called; its name becomes part of a file's name."""


class _Stop(Exception):
    """Ends the program with exit code 1 and a line for the operator."""


def main(argv: Sequence[str]) -> int:
    """Run the registrar; ``argv`` are its flags.  Return the exit code."""
    try:
        settings = parse(argv)
        return 0 if settings.probe else _run(settings)
    except _Stop as stop:
        sys.stderr.write(f"csi-proxy registrar: {stop}\n")
        return 1
    except SystemExit as finished:  # argparse has said what there is to say
        return finished.code if isinstance(finished.code, int) else 1


def _run(settings: Settings) -> int:
    ending = Ending()
    driver = _driver_name(settings)
    path = os.path.join(settings.registration_directory, f"{driver}-reg.sock")
    registration = Registration(driver, settings.kubelet_registration_path, lambda: ending.end(1), sys.stderr)
    serving = server({SERVICE: registration}, sys.stderr)
    try:
        listener = address.listen(path, driver)
    except (OSError, CsiProxyError) as error:
        raise _Stop(f"the registration socket {path} cannot be opened: {error}") from error
    serving.add(listener)
    health = None
    try:
        if settings.http is not None:
            health = HealthServer(settings.http, path, driver)
        return serve(serving, ending, lambda: write_ready(settings.ready_fd))
    except OSError as error:
        raise _Stop(f"--http-endpoint cannot be listened at: {error.strerror}") from error
    finally:
        if health is not None:
            health.close()
        listener.close()


def _driver_name(settings: Settings) -> str:
    _await_driver(settings.csi_socket)
    caller = Caller(address.channel(settings.csi_socket), v1_pb2.DESCRIPTOR)
    try:
        info = caller.call(
            v1_pb2.GetPluginInfoRequest(), v1_pb2.GetPluginInfoResponse, timeout=settings.timeout
        )
    except RpcError as error:
        raise _Stop(f"the driver at {settings.csi_socket} does not say its name: {error}") from error
    finally:
        caller.close()
    if not _NAME.fullmatch(info.name):
        raise _Stop(f"the driver calls itself {info.name[:64]!r}, which is no name of a CSI driver")
    return info.name


def _await_driver(path: str) -> None:
    end = monotonic() + CONNECT_SECONDS
    while True:
        try:
            address.dial(path).close()
        except OSError as error:
            if monotonic() + _PAUSE >= end:
                raise _Stop(
                    f"no driver answers at {path}: {error.strerror or error}; start it first"
                ) from error
            sleep(_PAUSE)
        else:
            return
