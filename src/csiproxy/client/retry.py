"""When a call that failed is made again, and after which pauses."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from csiproxy.errors import Code
from csiproxy.rpc.client_protocol import Unprocessed
from csiproxy.rpc.status import RpcError


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a call is made at most, and the pauses in between: ``first`` seconds, doubled up to
    ``longest``.

    A call ends with its last failure when its deadline does not leave room for the next pause.
    """

    attempts: int = 5
    first: float = 0.1
    longest: float = 2.0

    def pauses(self) -> Iterator[float]:
        """The pauses between the attempts, each shortened by chance, so that callers do not march in step."""
        pause = self.first
        for _ in range(self.attempts - 1):
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311  nothing secret depends on it
            pause = min(2 * pause, self.longest)


NO_RETRY = Retry(attempts=1)


def may_repeat(error: RpcError, *, repeatable: bool) -> bool:
    """Whether a call that failed like this may be made again.

    UNAVAILABLE and ABORTED pass.  What no server has looked at, or what was refused because another operation
    holds the object (ABORTED), has not happened; everything else may have, and only a repeatable call may
    happen twice.
    """
    if error.code is Code.ABORTED or isinstance(error, Unprocessed):
        return True
    return error.code is Code.UNAVAILABLE and repeatable
