"""What an operator is shown of a node: disks, volumes, services, servers of shares."""

from dataclasses import dataclass

# When a service starts: what Win32_Service.StartMode may be.
START_MODES = ("Boot", "System", "Auto", "Manual", "Disabled")


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """A Windows service: its names, when it starts, and Win32_Service.State."""

    name: str
    display_name: str
    start_mode: str
    state: str


@dataclass(frozen=True, slots=True)
class SmbServerReport:
    """Where the SMB server of a name is."""

    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class LetterReport:
    """A drive letter and the name of the volume that has it."""

    letter: str
    volume: str


@dataclass(frozen=True, slots=True)
class VolumeReport:
    r"""A volume: its name (``\\?\Volume{guid}\``), where it is mounted, and where its files are on the host.

    ``problem`` says why it has no files to reach: offline, not formatted, formatted by another system.
    """

    name: str
    mount_points: tuple[str, ...] = ()
    directory: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DiskReport:
    """A disk: its number, image and what Windows shows of it.  Sizes are bytes.

    ``problem`` says why a disk is not ``present``, or how it is damaged.
    """

    number: int
    image: str
    size: int
    present: bool
    problem: str
    location: str
    serial: str
    style: str
    offline: bool
    read_only: bool
    volumes: tuple[VolumeReport, ...]
