"""What was asked of the host: each step of a call with its code, for its record and for metrics."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeVar

from csiproxy.errors import CimError, HostError, Win32Error
from csiproxy.host import Host
from csiproxy.host.cim import Instance, Result, Session, Value
from csiproxy.host.win32 import Directory, EntryKind, Win32

T = TypeVar("T")

MOST_STEPS: Final = 64
"""Steps of one call that its record has."""

Observe = Callable[[str, str, str, float], None]
"""Told the class, the method (or ``query``, ``associators``), what it gave, and the seconds."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what was called (``MSFT_Disk.Initialize``, ``set_link``) and the code that it gave."""

    target: str
    code: str


class _Current(threading.local):
    steps: list[Step] | None = None


class StepLog:
    """Collects the steps of the call that the present thread runs.  Safe for threads."""

    def __init__(self) -> None:
        self._current = _Current()

    def collect(self, steps: list[Step] | None) -> None:
        """Collect in ``steps`` what this thread asks of the host from now on; None: nowhere."""
        self._current.steps = steps

    def add(self, target: str, code: str) -> None:
        """A step was made."""
        steps = self._current.steps
        if steps is None:
            return
        if len(steps) < MOST_STEPS:
            steps.append(Step(target, code))
        elif len(steps) == MOST_STEPS:
            steps.append(Step("…", ""))


def watched(host: Host, log: StepLog, observe: Observe | None = None) -> Host:
    """The host, with ``log`` told of every step that says something or changes something."""
    return Host(WatchedSession(host.cim, log, observe), WatchedWin32(host.win32, log))


class WatchedSession:
    """``session``, with ``log`` and ``observe`` told of every step."""

    def __init__(self, session: Session, log: StepLog, observe: Observe | None = None) -> None:
        self._session = session
        self._log = log
        self._observe = observe

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """See :class:`~csiproxy.host.cim.Session`."""
        return self._step(
            class_name, "query", lambda: self._session.instances(class_name, **where), lambda _: "0"
        )

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """See :class:`~csiproxy.host.cim.Session`."""

        def step() -> list[Instance]:
            return self._session.associated(instance, association, result_class, result_role)

        return self._step(association, "associators", step, lambda _: "0")

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """See :class:`~csiproxy.host.cim.Session`."""
        class_name = target if isinstance(target, str) else target.class_name

        def step() -> Result:
            return self._session.invoke(target, method, **parameters)

        return self._step(class_name, method, step, lambda result: str(result.return_value))

    def _step(self, class_name: str, method: str, step: Callable[[], T], code_of: Callable[[T], str]) -> T:
        began = monotonic()
        code = "unreachable"
        try:
            result = step()
            code = code_of(result)
        except CimError as error:
            code = f"0x{error.hresult:08x}"
            raise
        finally:
            self._log.add(f"{class_name}.{method}", code)
            if self._observe is not None:
                self._observe(class_name, method, code, monotonic() - began)
        return result


class WatchedWin32:
    """``win32``, with ``log`` told of every step that changes something.

    Questions are not told: the walk to one path has dozens.  So they are the other's own, without a detour.
    """

    def __init__(self, win32: Win32, log: StepLog) -> None:
        self._win32 = win32
        self._log = log
        self.open_root = win32.open_root
        self.open_child = win32.open_child
        self.open_mounted = win32.open_mounted
        self.entry = win32.entry
        self.entries = win32.entries
        self.mount_points = win32.mount_points
        self.final_path = win32.final_path
        self.storage_device = win32.storage_device
        self.mutex = win32.mutex
        self.remember = win32.remember
        self.remembers = win32.remembers
        self.forget = win32.forget
        self.marks = win32.marks

    def create_directory(self, parent: Directory, name: str) -> None:
        """See :class:`~csiproxy.host.win32.Win32`."""
        self._step("create_directory", lambda: self._win32.create_directory(parent, name))

    def remove(self, parent: Directory, name: str, kind: EntryKind) -> None:
        """See :class:`~csiproxy.host.win32.Win32`."""
        self._step("remove", lambda: self._win32.remove(parent, name, kind))

    def set_link(self, parent: Directory, name: str, target: str, *, replace: bool) -> None:
        """See :class:`~csiproxy.host.win32.Win32`."""
        self._step("set_link", lambda: self._win32.set_link(parent, name, target, replace=replace))

    def set_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """See :class:`~csiproxy.host.win32.Win32`."""
        self._step("set_mount_point", lambda: self._win32.set_mount_point(parent, name, volume))

    def delete_mount_point(self, parent: Directory, name: str, volume: str) -> None:
        """See :class:`~csiproxy.host.win32.Win32`."""
        self._step("delete_mount_point", lambda: self._win32.delete_mount_point(parent, name, volume))

    def _step(self, target: str, step: Callable[[], None]) -> None:
        code = "0"
        try:
            step()
        except Win32Error as error:
            code = str(error.windows_code)
            raise
        except HostError:
            code = "unreachable"
            raise
        finally:
            self._log.add(target, code)
