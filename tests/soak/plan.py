"""What a pod's life will be: everything in it that is chosen follows from the seed and the life's number.

How the calls of lives that run at the same time interleave is the host's choice, and no seed repeats it.
"""

import random
from dataclasses import dataclass
from enum import Enum

from csiproxy.emulator.faults import Action, Fault, When

MIB = 1 << 20


class Store(Enum):
    """Where the pods' files are."""

    DIRECTORY = "directory"
    IMAGE = "image"
    SMB = "smb"
    ISCSI = "iscsi"


class Phase(Enum):
    """A CSI call, or what the pod or an operator does between two of them."""

    STAGE = "stage"
    PUBLISH = "publish"
    WRITE = "write"
    STATS = "stats"
    GROW = "grow"
    READ = "read"
    UNPUBLISH = "unpublish"
    UNSTAGE = "unstage"


class Kill(Enum):
    """How a proxy dies."""

    AT_A_STEP = "at a step"  # of the port, on either side of it
    AT_ONCE = "at once"  # a moment after the phase has begun


@dataclass(frozen=True, slots=True)
class File:
    """A file that the workload writes; ``seed`` makes its bytes."""

    name: str
    size: int
    seed: str

    def content(self) -> bytes:
        return random.Random(self.seed).randbytes(self.size)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong while a phase runs: a fault of the node, a proxy's end, or a server's.

    ``delay`` (seconds) is how long into the phase a proxy or server goes on.
    """

    phase: Phase
    fault: Fault | None = None
    kill: Kill | None = None
    restart: bool = False
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Life:
    """One pod's life.  ``moves``: its disk is mounted a second time, elsewhere on the node."""

    number: int
    store: Store
    driver: str
    size: int
    files: tuple[File, ...]
    grows: bool
    moves: bool
    lun: bool
    troubles: tuple[Trouble, ...]

    def during(self, phase: Phase) -> list[Trouble]:
        return [trouble for trouble in self.troubles if trouble.phase is phase]


DRIVERS = {
    Store.DIRECTORY: ("v1", "v2", "beta", "service"),
    Store.IMAGE: ("v1", "v2", "beta", "service"),
    Store.SMB: ("smb", "service"),
    Store.ISCSI: ("iscsi", "service"),
}
# What a small volume may hold, and an NTFS that is real leaves.
_SIZES = {Store.DIRECTORY: (64, 128, 1024), Store.IMAGE: (64, 96), Store.ISCSI: (64,), Store.SMB: (0,)}
_LARGE = {Store.DIRECTORY: 4 * MIB, Store.IMAGE: 4 * MIB, Store.SMB: 2 * MIB, Store.ISCSI: 4 * MIB}

# What a node may say for a while.  Codes that blame the request or the data are not among them: they would
# end a driver's tries, and so must never reach one here.
_METHOD_CODES = (2, 3, 4, 6, 40002, 40003, 41003, 46000)
_QUERY_CODES = (0x80041006, 0x80041009, 0x80041033, 0x80041045, 0x80041069)
_WIN32_CODES = (4, 8, 21, 32, 170, 258, 1450, 1460)
_INITIATOR_CODES = (0xEFFF0001, 0xEFFF0003, 0xEFFF0013, 0xEFFF0024, 0xEFFF003E)

_DISK_STEPS = {
    Phase.STAGE: (
        "MSFT_Disk",
        "MSFT_Disk.Initialize",
        "MSFT_Disk.CreatePartition",
        "MSFT_Disk.Refresh",
        "MSFT_Partition",
        "MSFT_Volume",
        "MSFT_Volume.Format",
        "set_mount_point",
        "storage_device",
        "describe",
    ),
    Phase.PUBLISH: ("describe", "set_link"),
    Phase.WRITE: ("*",),
    Phase.STATS: ("MSFT_Volume", "MSFT_Partition", "describe", "mounted"),
    Phase.GROW: (
        "MSFT_StorageSetting.UpdateHostStorageCache",
        "MSFT_Partition.GetSupportedSize",
        "MSFT_Partition.Resize",
        "MSFT_Disk.Refresh",
        "MSFT_Volume",
    ),
    Phase.READ: ("*",),
    Phase.UNPUBLISH: ("describe", "remove_link"),
    Phase.UNSTAGE: (
        "MSFT_Volume.Flush",
        "delete_mount_point",
        "describe",
        "MSFT_Disk",
        "MSFT_Disk.Offline",
        "MSFT_Volume",
    ),
}
_SMB_STEPS = {
    Phase.STAGE: ("MSFT_SmbGlobalMapping", "MSFT_SmbGlobalMapping.Create", "describe", "set_link"),
    Phase.PUBLISH: ("describe", "set_link"),
    Phase.WRITE: ("*",),
    Phase.READ: ("*",),
    Phase.UNPUBLISH: ("describe", "remove_link"),
    Phase.UNSTAGE: ("MSFT_SmbGlobalMapping", "MSFT_SmbGlobalMapping.Remove", "describe", "remove_link"),
}
_ISCSI_STEPS = {
    **_DISK_STEPS,
    Phase.STAGE: (
        *_DISK_STEPS[Phase.STAGE],
        "MSFT_iSCSITarget",
        "MSFT_iSCSITarget.Connect",
        "MSFT_iSCSITargetPortal",
        "MSFT_iSCSITargetPortal.Update",
        "MSFT_iSCSISession",
    ),
    Phase.UNSTAGE: (
        *_DISK_STEPS[Phase.UNSTAGE],
        "MSFT_iSCSITarget",
        "MSFT_iSCSITarget.Disconnect",
        "MSFT_iSCSISession",
    ),
}
_STEPS = {
    Store.DIRECTORY: _DISK_STEPS,
    Store.IMAGE: _DISK_STEPS,
    Store.SMB: _SMB_STEPS,
    Store.ISCSI: _ISCSI_STEPS,
}
_DISTURBING = (Action.VANISH, Action.OFFLINE, Action.READ_ONLY)
# How often each kind of fault is ordered, against the others.
_WEIGHTS = {
    Action.FAIL: 8,
    Action.LOSE: 5,
    Action.SLOW: 3,
    Action.HANG: 1,
    Action.VANISH: 2,
    Action.OFFLINE: 2,
    Action.READ_ONLY: 2,
}
_MOST_FILES = 6
_LONGEST_DELAY = 0.05


def disk_number(number: int) -> int:
    """The number of a life's disk: its own for long enough that nobody takes one disk for another."""
    return 1 + number % 16000


def plan(seed: int, number: int, store: Store, *, kill_every: int = 0, quiet: bool = False) -> Life:
    """A life; nothing goes wrong in a ``quiet`` one.

    One whose number is a multiple of ``kill_every`` loses its proxy.  That is one trouble more, and changes
    nothing else in the life.
    """
    choose = random.Random(f"{seed} {store.value} {number}")
    driver = choose.choice(DRIVERS[store])
    grows = store in (Store.DIRECTORY, Store.IMAGE) and choose.random() < 0.25
    moves = choose.random() < 0.25
    phases = [phase for phase in _STEPS[store] if grows or phase is not Phase.GROW]
    files = _files(choose, f"{seed} {store.value} {number}", _LARGE[store])
    size = choose.choice(_SIZES[store]) * MIB
    lun = choose.random() < 0.5
    troubles: list[Trouble] = []
    if not quiet:
        count = choose.choices((0, 1, 2, 3), (6, 4, 2, 1))[0]
        troubles = [_trouble(choose, store, choose.choice(phases), number) for _ in range(count)]
    if kill_every and not quiet and number % kill_every == 0:
        troubles += _killing(choose, store, choose.choice(phases))
    return Life(number, store, driver, size, files, grows, moves, lun, tuple(troubles))


def _files(choose: random.Random, seed: str, large: int) -> tuple[File, ...]:
    """Some small files, a few that are large, now and then an empty one."""
    sizes = [choose.choice((0, 1, 100, 4096, 5000, 60_000)) for _ in range(choose.randint(1, _MOST_FILES))]
    if choose.random() < 0.3:
        sizes.append(choose.randint(MIB, large))
    return tuple(
        File(f"f{at}" if at % 3 else f"d{at}/f{at}", size, f"{seed} {at}") for at, size in enumerate(sizes)
    )


def _trouble(choose: random.Random, store: Store, phase: Phase, number: int) -> Trouble:
    if store in (Store.SMB, Store.ISCSI) and choose.random() < 0.25:
        return Trouble(phase, restart=True, delay=choose.uniform(0, _LONGEST_DELAY))
    actions = [action for action in _WEIGHTS if store is not Store.SMB or action not in _DISTURBING]
    if store is Store.ISCSI:  # a unit is taken away by its target, not by the operator
        actions.remove(Action.VANISH)
    action = choose.choices(actions, [_WEIGHTS[action] for action in actions])[0]
    step = choose.choice(_STEPS[store][phase])
    if step == "*" and action is Action.FAIL:
        action = Action.LOSE  # a code is one step's
    return Trouble(
        phase,
        Fault(
            step,
            action,
            nth=_nth(choose),
            when=choose.choice(tuple(When)) if action is not Action.FAIL else When.BEFORE,
            code=choose.choice(_codes(step)) if action is Action.FAIL else 0,
            seconds=choose.uniform(0.01, 0.5) if action is Action.SLOW else 0.0,
            disk=disk_number(number) if action in _DISTURBING else 0,
        ),
    )


def _nth(choose: random.Random) -> int:
    """Which of the steps from now on; mostly one that the life takes itself, also when it lives alone."""
    return choose.choices((1, 2, 3, 4), (6, 3, 2, 1))[0]


def _codes(step: str) -> tuple[int, ...]:
    if "." not in step:
        return _QUERY_CODES if step[0].isupper() else _WIN32_CODES
    if "iSCSI" in step:
        return _INITIATOR_CODES
    return _METHOD_CODES


def _killing(choose: random.Random, store: Store, phase: Phase) -> list[Trouble]:
    delay = choose.uniform(0, _LONGEST_DELAY)
    if choose.random() < 0.5:
        return [Trouble(phase, kill=Kill.AT_ONCE, delay=delay)]
    step = choose.choice(_STEPS[store][phase])
    fault = Fault(step, Action.KILL_CALLER, nth=_nth(choose), when=choose.choice(tuple(When)))
    return [Trouble(phase, fault=fault, kill=Kill.AT_A_STEP, delay=delay)]
