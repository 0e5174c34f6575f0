"""Faults that an operator orders: what goes wrong at which call of the port, and when.

A *step* is a call of the port as the node sees it: ``MSFT_Disk.Initialize`` (a method), ``MSFT_Disk`` (a
query or an association to that class), ``set_mount_point`` (a Win32 call that the node serves).
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
    ``seconds`` for SLOW, ``disk`` for VANISH, OFFLINE and READ_ONLY.
    """

    step: str
    action: Action
    nth: int = 1
    when: When = When.BEFORE
    code: int = 0
    seconds: float = 0.0
    disk: int = 0


class ReplyLost(HostUnreachable):
    """The call was done; whoever called never learns it."""


@dataclass(slots=True)
class _Ordered:
    fault: Fault
    left: int


class Faults:
    """The orders of one node.  ``disturb`` does what an order asks of a disk."""

    def __init__(self, disturb: Callable[[Action, int], None]) -> None:
        self._disturb = disturb
        self._lock = threading.Lock()
        self._orders: list[_Ordered] = []
        self._hanging = threading.Event()
        self._hung = 0
        self._caller = threading.local()

    def order(self, fault: Fault) -> None:
        """Let a fault happen."""
        with self._lock:
            self._orders.append(_Ordered(fault, fault.nth))

    def pending(self) -> tuple[Fault, ...]:
        """What has not happened yet."""
        with self._lock:
            return tuple(ordered.fault for ordered in self._orders)

    def clear(self) -> None:
        """Forget all orders; what hangs goes on."""
        with self._lock:
            self._orders.clear()
            self._hanging.set()
            self._hanging = threading.Event()

    @property
    def hung(self) -> int:
        """How many steps hang now."""
        with self._lock:
            return self._hung

    @contextmanager
    def calling(self, process: int | None) -> Iterator[None]:
        """Steps of this thread are on behalf of another process."""
        self._caller.process = process
        try:
            yield
        finally:
            self._caller.process = None

    def step(self, name: str, call: Callable[[], T], fail: Callable[[int], T]) -> T:
        """Do one step, with what was ordered for it.  ``fail`` makes its failure of a code."""
        fault = self._due(name) if self._orders else None
        if fault is None:
            return call()
        if fault.action is Action.FAIL:
            return fail(fault.code)
        if fault.when is When.BEFORE and fault.action is not Action.LOSE:
            self._happen(fault)
            return call()
        result = call()
        self._happen(fault)
        return result

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
                self._hang()
            case Action.SLOW:
                time.sleep(fault.seconds)
            case Action.LOSE:
                raise ReplyLost(f"the reply of {fault.step} was lost, as ordered")
            case Action.KILL_CALLER:
                self._kill(getattr(self._caller, "process", None))
            case Action.KILL_NODE:
                self._kill(os.getpid())
            case _:
                self._disturb(fault.action, fault.disk)

    def _hang(self) -> None:
        with self._lock:
            released = self._hanging
            self._hung += 1
        released.wait(LONGEST_HANG)
        with self._lock:
            self._hung -= 1

    @staticmethod
    def _kill(process: int | None) -> None:
        if process is None:
            raise HostError("the caller is in the node's own process and cannot be killed")
        os.kill(process, _KILL)
