"""Metrics of calls, under the names, labels and buckets of the Go csi-proxy, so that dashboards stay.

Written by hand (https://prometheus.io/docs/instrumenting/exposition_formats/): the client libraries for
Python write bucket bounds as 1.0 where Go writes 1, and labels of a query are compared as text.  Only calls
of known methods are counted, so no client can make new series.
"""

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf
from threading import Lock
from typing import Final, TypeAlias

from csiproxy.errors import Code
from csiproxy.version import __version__

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS: Final = (0.001, 0.01, 0.1, 0.3, 0.6, 1.0, 3.0, 6.0, 9.0, 20.0, 30.0, 60.0, 90.0, 120.0)
"""Upper bounds in seconds."""

Labels: TypeAlias = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are written: Go's, by name."""

_CODES: Final = {code: code.name.title().replace("_", "") for code in Code} | {
    Code.OK: "OK",
    Code.CANCELLED: "Canceled",
}


class Histogram:
    """How long something took, by labels.  For one thread at a time."""

    def __init__(self) -> None:
        self._series: dict[Labels, tuple[list[int], list[float]]] = {}

    def observe(self, labels: Labels, seconds: float) -> None:
        """Count one."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = ([0] * (len(BUCKETS) + 1), [0.0])
        counts, total = series
        at = next((at for at, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))
        counts[at] += 1
        total[0] += seconds

    def lines(self, name: str) -> Iterator[str]:
        """The series of ``name``; buckets count everything up to their bound."""
        for labels, (counts, total) in sorted(self._series.items()):
            below = 0
            for bound, count in zip((*BUCKETS, inf), counts, strict=True):
                below += count
                yield _line(f"{name}_bucket", (*labels, ("le", _number(bound))), below)
            yield _line(f"{name}_sum", labels, total[0])
            yield _line(f"{name}_count", labels, below)


@dataclass(frozen=True, slots=True)
class Losses:
    """Audit records that wait, that are in the log instead, that are lost, and that other logs missed.

    ``missed`` counts those in files that somebody took away.
    """

    held: int = 0
    spilled: int = 0
    lost: int = 0
    copies: Mapping[str, int] = field(default_factory=dict)
    missed: int = 0


class Metrics:
    """What happened since the start.  Safe for threads.

    ``methods`` are the full ones that are counted (``/v1.Disk/Rescan``); ``losses`` tells how the audit trail
    stands.
    """

    def __init__(self, methods: Iterable[str], losses: Callable[[], "Losses"] | None = None) -> None:
        self._methods = {method: _labels_of(method) for method in methods}
        self._losses = losses or Losses
        self._lock = Lock()
        self._started = dict.fromkeys(self._methods, 0)
        self._ended: dict[tuple[str, Code], int] = {}
        self._seconds = Histogram()
        self._steps = Histogram()
        self._since = time.time()

    def started(self, method: str) -> None:
        """A call has come."""
        if method in self._started:
            with self._lock:
                self._started[method] += 1

    def ended(self, method: str, code: Code, seconds: float) -> None:
        """A call is answered, or nobody waits for the answer any more."""
        labels = self._methods.get(method)
        if labels is None:
            return
        with self._lock:
            self._ended[method, code] = self._ended.get((method, code), 0) + 1
            self._seconds.observe(labels, seconds)

    def step(self, class_name: str, method: str, code: str, seconds: float) -> None:
        """The host has done something: a query or a method of a CIM class, with what it gave."""
        labels = (("class", class_name), ("code", code), ("method", method))
        with self._lock:
            self._steps.observe(labels, seconds)

    def render(self) -> str:
        """The page."""
        with self._lock:
            return "\n".join((*self._calls(), *self._own(), ""))

    def _calls(self) -> Iterator[str]:
        ended = sorted((self._methods[method], code, count) for (method, code), count in self._ended.items())
        used = sorted((self._methods[method], count) for method, count in self._started.items() if count)
        yield from _head("grpc_server_handled_total", "counter", "Calls that have ended, by status.")
        for labels, code, count in ended:
            yield _line("grpc_server_handled_total", (("grpc_code", _CODES[code]), *labels), count)
        yield from _head("grpc_server_handling_seconds", "histogram", "How long calls took.")
        yield from self._seconds.lines("grpc_server_handling_seconds")
        yield from _head("grpc_server_msg_received_total", "counter", "Requests.")
        for labels, count in used:
            yield _line("grpc_server_msg_received_total", labels, count)
        yield from _head("grpc_server_msg_sent_total", "counter", "Replies; errors are none.")
        for labels, code, count in ended:
            if code is Code.OK:
                yield _line("grpc_server_msg_sent_total", labels, count)
        yield from _head("grpc_server_started_total", "counter", "Calls that have come.")
        for labels, count in used:
            yield _line("grpc_server_started_total", labels, count)

    def _audit(self) -> Iterator[str]:
        losses = self._losses()
        yield from _head("csi_proxy_audit_copies_lost_total", "counter", "Audit records that a log missed.")
        for name, count in sorted(losses.copies.items()):
            yield _line("csi_proxy_audit_copies_lost_total", (("log", name),), count)
        yield from _head("csi_proxy_audit_held", "gauge", "Audit records that wait to be written.")
        yield _line("csi_proxy_audit_held", (), losses.held)
        yield from _head("csi_proxy_audit_lost_total", "counter", "Audit records that could not be kept.")
        yield _line("csi_proxy_audit_lost_total", (), losses.lost)
        yield from _head("csi_proxy_audit_missed_total", "counter", "Audit records in files taken away.")
        yield _line("csi_proxy_audit_missed_total", (), losses.missed)
        yield from _head("csi_proxy_audit_spilled_total", "counter", "Audit records in the log instead.")
        yield _line("csi_proxy_audit_spilled_total", (), losses.spilled)

    def _own(self) -> Iterator[str]:
        yield from self._audit()
        yield from _head("csi_proxy_build_info", "gauge", "Which csi-proxy this is; always 1.")
        yield _line(
            "csi_proxy_build_info", (("python", platform.python_version()), ("version", __version__)), 1
        )
        yield from _head("csi_proxy_host_step_seconds", "histogram", "How long steps on the host took.")
        yield from self._steps.lines("csi_proxy_host_step_seconds")
        yield from _head("process_cpu_seconds_total", "counter", "Processor time of this process.")
        yield _line("process_cpu_seconds_total", (), time.process_time())
        yield from _head("process_start_time_seconds", "gauge", "When this process began, in Unix time.")
        yield _line("process_start_time_seconds", (), self._since)


def _labels_of(method: str) -> Labels:
    service, _, name = method.removeprefix("/").partition("/")
    return (("grpc_method", name), ("grpc_service", service), ("grpc_type", "unary"))


def _head(name: str, kind: str, text: str) -> tuple[str, str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"


def _line(name: str, labels: Labels, value: float) -> str:
    listed = ",".join(f'{label}="{_escape(text)}"' for label, text in labels)
    return f"{name}{{{listed}}} {_number(value)}" if listed else f"{name} {_number(value)}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if value == inf:
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
