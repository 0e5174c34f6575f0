"""``csi-proxy serve``: the composition root, which puts the operations on a host behind endpoints."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from csiproxy import auditing, flags, hardening, listening, operations, supervision
from csiproxy.api import versions
from csiproxy.api.versions import Contract
from csiproxy.audit.copies import Level
from csiproxy.auditing import Audit
from csiproxy.errors import CsiProxyError, HostError, InvalidArgument, Unavailable, Unimplemented
from csiproxy.flags import Settings
from csiproxy.host import Host
from csiproxy.hosts import open_host
from csiproxy.listening import Place, Unusable
from csiproxy.log import Output, open_log
from csiproxy.server import incident
from csiproxy.server.audit import Trail
from csiproxy.server.host_steps import StepLog, watched
from csiproxy.server.server import Endpoints, Proxy
from csiproxy.supervision import Supervisor

if TYPE_CHECKING:
    from csiproxy.server.event_trail import EventTrail
    from csiproxy.server.metrics import Metrics
    from csiproxy.server.metrics_page import MetricsPage

SUCCESS, FAILURE, MISCONFIGURED = 0, 1, 2
"""Exit codes: stopped as asked; nothing could be served; the operator has to change a flag first."""


class _Stop(Exception):
    """Ends the start with an exit code and a line for the operator."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def main(argv: Sequence[str]) -> int:
    """Serve until told to stop; ``argv`` are the flags behind ``serve``.  Return the exit code."""
    try:
        settings = flags.parse(argv)
    except SystemExit as finished:  # argparse has said what there is to say
        return finished.code if isinstance(finished.code, int) else FAILURE
    if not settings.windows_service:
        return _logged(settings, supervision.foreground)
    try:
        if not settings.log.file:  # a service has no standard error
            settings = replace(settings, log=replace(settings.log, file=supervision.service_log()))
        return supervision.as_service(lambda supervisor: _logged(settings, lambda: supervisor))
    except (supervision.NoService, OSError) as error:
        sys.stderr.write(f"csi-proxy serve: {error}\n")
        return MISCONFIGURED


def _logged(settings: Settings, supervisor: Callable[[], Supervisor]) -> int:
    """Open the log, serve, and log why nothing can be served."""
    try:
        raw, log = open_log(settings.log.file, settings.log.largest, stderr=settings.log.stderr)
    except OSError as error:
        sys.stderr.write(
            f"csi-proxy serve: -log_file {settings.log.file} cannot be opened ({error.strerror}): "
            "name a file that you may append to\n"
        )
        return MISCONFIGURED
    try:
        for warning in settings.warnings:
            log.write(f"csi-proxy serve: {warning}\n")
        _run(settings, supervisor, raw, log)
    except _Stop as stop:
        log.write(f"csi-proxy serve: {stop}\n")
        return stop.code
    except Exception as error:  # noqa: BLE001  a service has nowhere else to say it
        incident.report(error, "the way to serving", log)
        return FAILURE
    return SUCCESS


def _run(settings: Settings, supervise: Callable[[], Supervisor], raw: Output, log: TextIO) -> None:
    contracts = _contracts(settings)
    try:
        audit = auditing.open_trail(settings.audit, raw, log)
    except auditing.Unusable as error:
        raise _Stop(MISCONFIGURED, str(error)) from error
    try:
        _serve(settings, supervise, audit, contracts, log)
    finally:
        audit.close()
        standing = audit.trail.standing
        if standing.spilled:
            log.write(f"csi-proxy serve: {standing.spilled} audit records are in this log instead\n")
        if standing.lost:
            log.write(f"csi-proxy serve: {standing.lost} audit records could not be written\n")


def _serve(
    settings: Settings,
    supervise: Callable[[], Supervisor],
    audit: Audit,
    contracts: tuple[Contract, ...],
    log: TextIO,
) -> None:
    trail = audit.trail
    events = _events(settings, contracts, log)
    if events is not None:
        trail.follow(events)
    audit.started(settings)
    if settings.windows_service and (problem := supervision.service_problem()):
        raise _Stop(
            MISCONFIGURED,
            f"{problem}, who could make it run programs of theirs as the system: install it in a folder that "
            "only administrators can change (icacls shows and sets who can)",
        )
    place = listening.place(settings.endpoints, settings.pipe_sddl)
    try:
        place.prepare()
    except Unusable as error:
        raise _Stop(MISCONFIGURED, str(error)) from error
    metrics = _metrics(settings, contracts, trail)
    steps = StepLog()
    served = _operations(settings, steps, metrics)
    if settings.drop_privileges:  # from here on: the node, if it was started here, keeps its own
        _harden(trail, log)
    proxy = Proxy(contracts, served, trail, log, settings.limits, metrics, steps)
    page = _metrics_page(settings, metrics)

    # From here on a signal means an orderly end: what was opened is to be closed again.
    supervisor = supervise()
    supervision.keep_memory_private()
    endpoints = _listen(proxy, place)
    audit.listens(endpoints)
    for problem in endpoints.untrusted:
        log.write(f"csi-proxy serve: SECURITY: {problem}\n")
    proxy.start()
    supervisor.serving()
    _announce(endpoints, place, settings)
    if events is not None:
        events.started(len(endpoints.served), endpoints.left)
    supervisor.wait()
    supervisor.stopping(settings.grace)
    trail.event("stopping")
    if page is not None:
        page.close()
    done = proxy.stop(settings.grace)
    trail.event("stopped", cancelled_calls=not done)
    if not done:
        log.write(f"csi-proxy serve: calls that still ran after {settings.grace:g} s were cancelled\n")


def _harden(trail: Trail, log: TextIO) -> None:
    """Give up what serving does not need; what cannot be given up is told, and no reason not to serve."""
    try:
        done = hardening.harden()
    except OSError as error:
        trail.event("privileges-kept", Level.WARNING, reason=error.strerror)
        log.write(f"csi-proxy serve: SECURITY: privileges cannot be given up ({error.strerror})\n")
    else:
        trail.event("privileges-given-up", given_up=done.given_up, kept=done.kept)


def _contracts(settings: Settings) -> tuple[Contract, ...]:
    try:
        return versions.select(settings.serve, settings.no_serve)
    except InvalidArgument as error:
        raise _Stop(MISCONFIGURED, f"--serve or --no-serve: {error}") from error


def _events(settings: Settings, contracts: Sequence[Contract], log: TextIO) -> "EventTrail | None":
    """The event log of Windows, which calls do without where it cannot be had."""
    if sys.platform == "win32" and settings.event_log:
        from csiproxy.server.event_trail import EventTrail
        from csiproxy.windows.event_log import open_source

        try:
            return EventTrail(open_source(), contracts, log)
        except OSError as error:
            problem = f"the event log cannot be opened ({error.strerror}); calls go on without"
            log.write(f"csi-proxy serve: {problem}\n")
    return None


def _metrics(settings: Settings, contracts: Sequence[Contract], trail: Trail) -> "Metrics | None":
    if not settings.metrics:
        return None
    from csiproxy.server.metrics import Losses, Metrics

    def losses() -> Losses:
        standing = trail.standing
        return Losses(standing.held, standing.spilled, standing.lost, trail.lost_by_followers, trail.missed)

    methods = (f"/{contract.service}/{rpc}" for contract in contracts for rpc in contract.rpcs)
    return Metrics(methods, losses)


def _metrics_page(settings: Settings, metrics: "Metrics | None") -> "MetricsPage | None":
    if metrics is None:
        return None
    from csiproxy.server.metrics_page import MetricsPage

    try:
        return MetricsPage(settings.metrics, metrics.render)
    except OSError as error:
        problem = f"--metrics-bind-address {settings.metrics} cannot be listened at ({error.strerror})"
        raise _Stop(MISCONFIGURED, f"{problem}: name an address that is free") from error


def _operations(settings: Settings, steps: StepLog, metrics: "Metrics | None") -> operations.Operations:
    host = watched(_host(settings), steps, metrics.step if metrics else None)
    try:
        return operations.build(host, settings.configuration)
    except InvalidArgument as error:
        raise _Stop(MISCONFIGURED, str(error)) from error
    except (CsiProxyError, HostError) as error:
        node = f"the node in {settings.emulator}" if settings.emulator else "this machine"
        raise _Stop(FAILURE, f"{node} cannot be used: {error}") from error


def _host(settings: Settings) -> Host:
    try:
        return open_host(settings.emulator, settings.volumes)
    except Unimplemented as error:
        raise _Stop(MISCONFIGURED, f"--host is missing: {error}") from error
    except Unavailable as error:
        raise _Stop(FAILURE, str(error)) from error


def _listen(proxy: Proxy, place: Place) -> Endpoints:
    try:
        endpoints = proxy.listen(place.open)
    except OSError as error:
        raise _Stop(FAILURE, f"no endpoint can be opened {place.where}: {error.strerror or error}") from error
    if not endpoints.served:
        problem = f"another process already serves every endpoint {place.where}"
        raise _Stop(FAILURE, f"{problem}: stop it, or choose others with --serve or --endpoints")
    return endpoints


def _announce(endpoints: Endpoints, place: Place, settings: Settings) -> None:
    """Say that calls are answered, to people on standard output and to programs on ``--ready-fd``."""
    left = (
        f" ({len(endpoints.left)} left to another process: {', '.join(endpoints.left)})"
        if endpoints.left
        else ""
    )
    if sys.stdout is None:  # under the service control manager
        return
    try:
        sys.stdout.write(f"ready: {len(endpoints.served)} endpoints {place.where}{left}\n")
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
