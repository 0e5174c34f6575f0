"""Is this node fit: what can be seen without changing anything, and what to do about what is not well."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from csiproxy.errors import CsiProxyError, HostError, Win32Error, WindowsCode
from csiproxy.host import Host
from csiproxy.host.cim import CIMV2, SMB, STORAGE
from csiproxy.storage import Storage
from csiproxy.storage.system import ServiceState, StartMode


class State(Enum):
    """How well something is."""

    OK = "ok"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, how it is, what was seen, and for a failure what to do next."""

    name: str
    state: State
    seen: str
    next_step: str = ""


# A class of each namespace that every fit node has; SMB mappings may be none.
_NAMESPACES = (
    (CIMV2, "Win32_BIOS", True),
    (STORAGE, "MSFT_Disk", True),
    (SMB, "MSFT_SmbGlobalMapping", False),
)
_SERVICES = (
    ("MSiSCSI", "iSCSI targets"),
    ("LanmanWorkstation", "SMB shares"),
    ("smphost", "the storage classes"),
)


def of_node(host: Host, kubelet_path: str) -> Iterator[Check]:
    """What the port tells of a node, real or emulated."""
    yield _guarded("kubelet path", lambda: _kubelet_path(host, kubelet_path), "name it with --kubelet-path")
    for namespace, class_name, wanted in _NAMESPACES:
        yield _guarded(
            f"WMI {namespace}",
            lambda class_name=class_name, wanted=wanted: _class(host, class_name, wanted),  # type: ignore[misc]
            "see that the service Winmgmt runs, and repair WMI (winmgmt /verifyrepository)",
        )
    for name, what in _SERVICES:
        yield _guarded(
            f"service {name}",
            lambda name=name, what=what: _service(host, name, what),  # type: ignore[misc]
            f"install what has it, if {what} are to be used",
        )


def failed(name: str, error: Exception, next_step: str) -> Check:
    """A check that could not be made."""
    return Check(name, State.FAILED, str(error), next_step)


def _guarded(name: str, check: Callable[[], tuple[State, str, str]], next_step: str) -> Check:
    try:
        return Check(name, *check())
    except (HostError, CsiProxyError) as error:
        return failed(name, error, next_step)


def _kubelet_path(host: Host, path: str) -> tuple[State, str, str]:
    try:
        with host.win32.open_root(path) as root:
            where = host.win32.final_path(root)
    except Win32Error as error:
        if error.windows_code not in (WindowsCode.FILE_NOT_FOUND, WindowsCode.PATH_NOT_FOUND):
            raise
        return State.FAILED, f"{path} does not exist", "start kubelet, or name its path with --kubelet-path"
    return State.OK, where if where == path else f"{path} is {where}", ""


def _class(host: Host, class_name: str, wanted: bool) -> tuple[State, str, str]:
    found = len(host.cim.instances(class_name))
    if wanted and not found:
        return State.FAILED, f"no {class_name}", "this is no Windows that has disks to manage"
    return State.OK, f"{found} {class_name}", ""


def _service(host: Host, name: str, what: str) -> tuple[State, str, str]:
    service = Storage(host).system.service(name)
    if service.state is ServiceState.RUNNING:
        return State.OK, "runs", ""
    if service.start_mode is StartMode.DISABLED:
        step = f"for {what}: sc config {name} start= auto, then sc start {name}"
        return State.NOTE, "is disabled", step
    return State.NOTE, f"is {service.state.value.lower()}", f"for {what}: sc start {name}"
