"""Calling a driver as kubelet and the sidecars do: with a time-out, and again after pauses that double."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Final, TypeVar

from google.protobuf.message import Message

from csiproxy.csi import v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError

R = TypeVar("R", bound=Message)

CALL_SECONDS: Final = 120.0
"""What kubelet gives a CSI call."""
_FINAL: Final = frozenset({Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED, Code.OUT_OF_RANGE, Code.ALREADY_EXISTS})
"""Kubelet would try these again, too, and never succeed; who plays wants to know at once."""


class StepFailed(Exception):
    """A step of the play did not succeed, however often it was tried."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Kubelet's pauses: half a second at first, doubled up to two minutes and two seconds.

    ``pace`` shortens them all, so that a play does not take as long as a cluster would; ``seconds`` is when
    it is given up.
    """

    first: float = 0.5
    longest: float = 122.0
    pace: float = 1.0
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Done:
    """How a call went: the RPC, and how often it was made."""

    rpc: str
    tries: int

    def __str__(self) -> str:
        return "at the first try" if self.tries == 1 else f"at try {self.tries}"


def call(caller: Callable[[], Caller], request: Message, reply: type[R], backoff: Backoff) -> tuple[R, Done]:
    """Make a call until it succeeds; StepFailed when that takes too long or can never be.

    ``caller`` gives what calls the driver, which may not be registered at the moment (StepFailed).
    """
    rpc = request.DESCRIPTOR.name.removesuffix("Request")
    end = monotonic() + backoff.seconds
    pause = backoff.first
    tries = 0
    while True:
        tries += 1
        try:
            return _once(caller, request, reply), Done(rpc, tries)
        except (RpcError, NotRegistered) as error:
            if isinstance(error, RpcError) and error.code in _FINAL:
                raise StepFailed(f"{rpc}: {error}") from error
            if monotonic() + pause * backoff.pace > end:
                raise StepFailed(f"{rpc} failed {tries} times: {error}") from error
        sleep(pause * backoff.pace)
        pause = min(2 * pause, backoff.longest)


class NotRegistered(Exception):
    """The driver is not registered with kubelet, at the moment or at all."""


def _once(caller: Callable[[], Caller], request: Message, reply: type[R]) -> R:
    opened = caller()
    try:
        return opened.call(request, reply, timeout=CALL_SECONDS)
    finally:
        opened.close()


CAPABILITY = v1_pb2.VolumeCapability
MODES: Final = {
    "ReadWriteOnce": CAPABILITY.AccessMode.SINGLE_NODE_MULTI_WRITER,
    "ReadWriteOncePod": CAPABILITY.AccessMode.SINGLE_NODE_SINGLE_WRITER,
    "ReadOnlyMany": CAPABILITY.AccessMode.MULTI_NODE_READER_ONLY,
    "ReadWriteMany": CAPABILITY.AccessMode.MULTI_NODE_MULTI_WRITER,
}
"""Kubernetes' access modes as CSI's, for a driver with SINGLE_NODE_MULTI_WRITER."""


def capability(access_mode: str, mount_options: tuple[str, ...]) -> v1_pb2.VolumeCapability:
    """How Kubernetes asks for a volume of a claim: as a file system of the driver's choice."""
    made = CAPABILITY()
    made.mount.mount_flags.extend(mount_options)
    made.access_mode.mode = MODES[access_mode]
    return made
