"""Faults that an operator orders: what goes wrong at which call of the port, and when.

A *step* is a call of the port as the node sees it: ``MSFT_Disk.Initialize`` (a method), ``MSFT_Disk`` (a
query or an association to that class), ``set_mount_point`` (a Win32 call that the node serves).
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TypeVar

from csiproxy.errors import HostError, HostUnreachable

T = TypeVar("T")
if sys.platform == "win32":
    _KILL = signal.SIGTERM  # which Python makes TerminateProcess of
else:
    _KILL = signal.SIGKILL

# A hang ends by itself after this long, so that a forgotten one does not hold a thread for ever (seconds).
LONGEST_HANG = 3600.0
# No step is slower than this (seconds).
SLOWEST = 86400.0
# More orders than this are a mistake, and looking through them would be slow.
MOST_ORDERS = 1000
GREATEST_CODE = 0xFFFF_FFFF


class Action(Enum):
    """What happens at the step."""

    FAIL = "fail"  # it gives a code instead of being done
    HANG = "hang"  # it does not come back until the fault is cleared
    SLOW = "slow"  # it takes longer
    LOSE = "lose"  # it is done, and the reply never arrives
    VANISH = "vanish"  # a disk is gone
    OFFLINE = "offline"  # a disk is offline
    READ_ONLY = "read-only"  # a disk is locked by its hardware
    KILL_CALLER = "kill-caller"  # the process that called dies
    KILL_NODE = "kill-node"  # the node dies


class When(Enum):
    """On which side of the step it happens."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Fault:
    """One order.

    ``step`` may hold ``*``; the fault happens at the ``nth`` matching step from now on, once.  ``code`` is
    for FAIL (a CIM method's return value; for other steps a Win32 code, or an HRESULT for queries),
    ``seconds`` for SLOW, ``disk`` for VANISH, OFFLINE and READ_ONLY.  ``when`` is for those three, SLOW, HANG
    and the kills: FAIL comes instead of the step, LOSE after it.
    """

    step: str
    action: Action
    nth: int = 1
    when: When = When.BEFORE
    code: int = 0
    seconds: float = 0.0
    disk: int = 0


_DISTURBING = frozenset({Action.VANISH, Action.OFFLINE, Action.READ_ONLY})


def problem(fault: Fault) -> str:
    """Why a fault can never happen as it is said; empty when it can."""
    if not fault.step or fault.nth < 1:
        return "a fault needs a step, and nth counts from 1"
    if not 0 <= fault.seconds <= SLOWEST or (fault.action is Action.SLOW and not fault.seconds):
        return f"seconds of a fault are up to {SLOWEST:.0f}; one that is slow needs them"
    if not 0 <= fault.code <= GREATEST_CODE or (fault.action is Action.FAIL and not fault.code):
        return "code of a fault is a number of 32 bits; one that fails needs it, and 0 is success"
    if fault.action in _DISTURBING and fault.disk < 1:
        return f"{fault.action.value} needs the number of a disk, which is not the system's, 0"
    return ""


class FaultError(HostError):
    """What was ordered is no fault that could happen."""


class ReplyLost(HostUnreachable):
    """Whoever called never learns what became of the call."""


@dataclass(slots=True)
class _Ordered:
    fault: Fault
    left: int


class Faults:
    """The orders of one node.

    ``disturb`` does what an order asks of a disk; ``steps`` are the names that steps have.
    """

    def __init__(self, disturb: Callable[[Action, int], None], steps: Sequence[str]) -> None:
        self.steps = tuple(steps)
        self._disturb = disturb
        self._lock = threading.Lock()
        self._orders: list[_Ordered] = []
        self._hanging = threading.Event()
        self._hung = 0
        self._caller = threading.local()

    def order(self, fault: Fault) -> None:
        """Let a fault happen; FaultError when it never could."""
        if text := problem(fault):
            raise FaultError(text)
        if not any(fnmatchcase(step, fault.step) for step in self.steps):
            raise FaultError(
                f"no step is called {fault.step}: 'csi-proxy emulator fault steps' lists those that there are"
            )
        with self._lock:
            if len(self._orders) >= MOST_ORDERS:
                raise FaultError(f"{MOST_ORDERS} faults are ordered already: clear them first")
            self._orders.append(_Ordered(fault, fault.nth))

    def pending(self) -> tuple[Fault, ...]:
        """What has not happened yet."""
        with self._lock:
            return tuple(ordered.fault for ordered in self._orders)

    def clear(self) -> None:
        """Forget all orders; what hangs or is slow goes on."""
        with self._lock:
            self._orders.clear()
            self._hanging.set()
            self._hanging = threading.Event()

    @property
    def hung(self) -> int:
        """How many steps are held up now."""
        with self._lock:
            return self._hung

    @contextmanager
    def calling(self, process: int | None, has_gone: Callable[[], bool]) -> Iterator[None]:
        """Steps of this thread are on behalf of another process; ``has_gone`` says whether it ended."""
        self._caller.process, self._caller.has_gone = process, has_gone
        try:
            yield
        finally:
            self._caller.process = self._caller.has_gone = None

    def step(self, name: str, call: Callable[[], T], fail: Callable[[int], T]) -> T:
        """Do one step, with what was ordered for it.  ``fail`` makes its failure of a code."""
        fault = self._due(name) if self._orders else None
        if fault is None:
            return call()
        if fault.action is Action.FAIL:
            return fail(fault.code)
        if fault.when is When.BEFORE and fault.action is not Action.LOSE:
            self._happen(fault)
            self._require_caller(fault)
            return call()
        try:
            return call()
        finally:  # a step that fails has been taken, too
            self._happen(fault)

    def _due(self, name: str) -> Fault | None:
        with self._lock:
            for ordered in self._orders:
                if fnmatchcase(name, ordered.fault.step):
                    ordered.left -= 1
                    if not ordered.left:
                        self._orders.remove(ordered)
                        return ordered.fault
        return None

    def _happen(self, fault: Fault) -> None:
        match fault.action:
            case Action.HANG:
                self._hold_up(LONGEST_HANG)
            case Action.SLOW:
                self._hold_up(fault.seconds)
            case Action.LOSE:
                raise ReplyLost(f"the reply of {fault.step} was lost, as ordered")
            case Action.KILL_CALLER:
                self._kill(getattr(self._caller, "process", None))
            case Action.KILL_NODE:
                self._kill(os.getpid())
            case _:
                self._disturb(fault.action, fault.disk)

    def _require_caller(self, fault: Fault) -> None:
        """A step that was held up goes with its caller, whose successor must not find it done one day."""
        has_gone = getattr(self._caller, "has_gone", None)
        if has_gone is not None and has_gone():
            raise ReplyLost(f"{fault.step} was not done: its caller ended before")

    def _hold_up(self, seconds: float) -> None:
        with self._lock:
            released = self._hanging
            self._hung += 1
        released.wait(seconds)
        with self._lock:
            self._hung -= 1

    @staticmethod
    def _kill(process: int | None) -> None:
        if process is None:
            raise HostError("the caller cannot be killed: it is in the node's own process, or not known")
        os.kill(process, _KILL)
