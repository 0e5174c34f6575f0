"""What an operator does to a running node: its disks, its services, its faults, its end."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self, TypedDict, Unpack, cast

from csiproxy.emulator import locks, sockets
from csiproxy.emulator.calls import Arguments, Call
from csiproxy.emulator.faults import Fault
from csiproxy.emulator.inventory import DiskReport, LetterReport, ServiceReport, SmbServerReport
from csiproxy.emulator.pool import Pool
from csiproxy.emulator.remote import every, one
from csiproxy.emulator.wire import WireError
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import StorageIdentifier

if TYPE_CHECKING:
    from csiproxy.emulator.attachment import BusType
    from csiproxy.emulator.machine import Machine

# The file that a node's process holds locked as long as it has the directory.
LOCK_NAME = "node.lock"

# How long to wait for the end of a node that was told to stop (seconds); calls that hang hold it up a while.
STOP_SECONDS = 15.0


class AttachOptions(TypedDict, total=False):
    """How a disk is to look; each as in :meth:`csiproxy.emulator.disk.Disks.attach`."""

    vendor: str
    product: str
    serial: str | None
    identifiers: Sequence[StorageIdentifier] | None
    bus: "BusType"
    adapter: int
    bus_number: int
    target: int
    lun: int | None
    read_only: bool
    offline: bool
    policy_read_only: bool
    clustered: bool
    number: int | None


# The types that each option may have on the wire.
OPTION_TYPES: Mapping[str, tuple[type, ...]] = {
    "vendor": (str,),
    "product": (str,),
    "serial": (str, type(None)),
    "identifiers": (tuple, type(None)),
    "bus": (int,),
    "adapter": (int,),
    "bus_number": (int,),
    "target": (int,),
    "lun": (int, type(None)),
    "read_only": (bool,),
    "offline": (bool,),
    "policy_read_only": (bool,),
    "clustered": (bool,),
    "number": (int, type(None)),
}


class Control:
    """The operator's end.  ``directory`` is the node's; HostUnreachable when none runs there.

    What the node refuses is raised as it says it, mostly as Win32Error with a text for the operator.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._pool = Pool(lambda: sockets.dial(directory))

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def process(self) -> int:
        """The node's process id."""
        return self._pool.greeting().process

    def attach(self, image: str, *, create: int | None = None, **options: Unpack[AttachOptions]) -> int:
        """Attach an image and return its disk number; with ``create`` make it first, that many bytes long."""
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
        return one(int, self._pool.call("control.attach", os.path.abspath(image), create, given))

    def detach(self, number: int) -> None:
        """Take a disk away; its image and files stay."""
        self._pool.call("control.detach", number)

    def grow(self, number: int, size: int) -> None:
        """Make a disk ``size`` bytes large."""
        self._pool.call("control.grow", number, size)

    def list(self) -> tuple[DiskReport, ...]:
        """All disks with their volumes and mount points."""
        return tuple(every(DiskReport, self._pool.call("control.list")))

    def reset(self) -> None:
        """Make it a fresh node; images and the volumes' files stay."""
        self._pool.call("control.reset")

    def seed(self, seed: str) -> None:
        """Let ``seed`` alone decide all identifiers from here on."""
        self._pool.call("control.seed", seed)

    def order(self, fault: Fault) -> None:
        """Let a fault happen at a coming call of the port."""
        self._pool.call("control.order", fault)

    def fault_steps(self) -> tuple[str, ...]:
        """The names of the steps at which faults can happen."""
        return tuple(every(str, self._pool.call("control.fault_steps")))

    def faults(self) -> tuple[Fault, ...]:
        """The faults that have not happened yet."""
        return tuple(every(Fault, self._pool.call("control.faults")))

    def services(self) -> tuple[ServiceReport, ...]:
        """The node's Windows services."""
        return tuple(every(ServiceReport, self._pool.call("control.services")))

    def set_start_mode(self, name: str, start_mode: str) -> None:
        """Change when a service starts (Auto, Manual, Disabled …)."""
        self._pool.call("control.set_start_mode", name, start_mode)

    def switch_service(self, name: str, *, running: bool) -> None:
        """Start or stop a service; it is pending for a moment."""
        self._pool.call("control.switch_service", name, running)

    def set_smb_server(self, name: str, host: str, port: int) -> None:
        """Let the name of an SMB server mean the one at a host and port."""
        self._pool.call("control.set_smb_server", name, host, port)

    def remove_smb_server(self, name: str) -> None:
        """Let the name of an SMB server be the network's again."""
        self._pool.call("control.remove_smb_server", name)

    def smb_servers(self) -> tuple[SmbServerReport, ...]:
        """The servers that were given a place."""
        return tuple(every(SmbServerReport, self._pool.call("control.smb_servers")))

    def give_letter(self, letter: str, volume: str) -> None:
        """Give a volume a drive letter, which Windows' classes show."""
        self._pool.call("control.give_letter", letter, volume)

    def take_letter(self, letter: str) -> None:
        """Take a drive letter back."""
        self._pool.call("control.take_letter", letter)

    def letters(self) -> tuple[LetterReport, ...]:
        """The drive letters that were given."""
        return tuple(every(LetterReport, self._pool.call("control.letters")))

    def put_page_files(self, paths: Sequence[str]) -> None:
        """Say where the page files are."""
        self._pool.call("control.put_page_files", tuple(paths))

    def put_dump(self, path: str) -> None:
        """Say where a crash is dumped."""
        self._pool.call("control.put_dump", path)

    def clear_faults(self) -> None:
        """Forget all faults; what hangs or is slow goes on."""
        self._pool.call("control.clear_faults")

    def stop(self) -> None:
        """Stop the node, and return when it has given up its directory; calls that run are finished first."""
        self._pool.call("control.stop")
        locks.wait_until_free(os.path.join(self._directory, LOCK_NAME), STOP_SECONDS)


def control_calls(machine: "Machine", stop: Callable[[], None]) -> Mapping[str, Call]:
    """The node's end."""
    return {
        "control.attach": lambda call: partial(machine.attach, *_attachment(call)),
        "control.detach": lambda call: partial(machine.disks.detach, call.take(int)),
        "control.grow": lambda call: partial(machine.disks.grow, call.take(int), call.take(int)),
        "control.list": lambda _: machine.inventory,
        "control.reset": lambda _: machine.reset,
        "control.seed": lambda call: partial(machine.seed, call.take(str)),
        "control.order": lambda call: partial(machine.faults.order, call.take(Fault)),
        "control.fault_steps": lambda _: lambda: machine.faults.steps,
        "control.faults": lambda _: machine.faults.pending,
        "control.services": lambda _: machine.services.reports,
        "control.set_start_mode": lambda call: partial(
            machine.services.set_start_mode, call.take(str), call.take(str)
        ),
        "control.switch_service": lambda call: partial(
            machine.services.switch, call.take(str), running=call.take(bool)
        ),
        "control.set_smb_server": lambda call: partial(
            machine.smb_servers.set, call.take(str), call.take(str), call.take(int)
        ),
        "control.remove_smb_server": lambda call: partial(machine.smb_servers.remove, call.take(str)),
        "control.smb_servers": lambda _: machine.smb_servers.reports,
        "control.give_letter": lambda call: partial(machine.letters.give, call.take(str), call.take(str)),
        "control.take_letter": lambda call: partial(machine.letters.take, call.take(str)),
        "control.letters": lambda _: machine.letters.reports,
        "control.put_page_files": lambda call: partial(machine.memory_files.put_page_files, call.texts()),
        "control.put_dump": lambda call: partial(machine.memory_files.put_dump, call.take(str)),
        "control.clear_faults": lambda _: machine.faults.clear,
        "control.stop": lambda _: stop,
    }


def _attachment(call: Arguments) -> tuple[str, int | None, AttachOptions]:
    path, size, options = call.take(str), call.optional(int), call.take(dict)
    for name, value in options.items():
        if type(value) not in OPTION_TYPES.get(name, ()):
            raise WireError(f"attach has no option {name} of this type")
    identifiers = options.get("identifiers") or ()
    if not all(isinstance(identifier, StorageIdentifier) for identifier in identifiers):
        raise WireError("the identifiers of a disk are page-83 descriptors")
    if "bus" in options:
        options["bus"] = _bus_type(options["bus"])
    return path, size, cast("AttachOptions", options)


def _bus_type(number: int) -> "BusType":
    from csiproxy.emulator.attachment import BusType  # only the node's end needs it, and what it imports

    try:
        return BusType(number)
    except ValueError as error:
        raise Win32Error(WindowsCode.INVALID_PARAMETER, "attach", f"{number} is no bus type") from error
