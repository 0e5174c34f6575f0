"""Pipes for tests: names of their own, a poller that is asked by hand, and a server."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

assert sys.platform == "win32"

from csiproxy.rpc.pipe_listener import SDDL, PipeListener, SecurityDescriptor
from csiproxy.rpc.pipe_poller import PipePoller


def pipe_name() -> str:
    return rf"\\.\pipe\csi-proxy-test-{uuid.uuid4()}"


def listener(pipe: str, name: str = "test", waiting: int = 8) -> PipeListener:
    return PipeListener(pipe, name, SecurityDescriptor(SDDL), waiting)


@contextmanager
def polled() -> Iterator[PipePoller[str]]:
    poller: PipePoller[str] = PipePoller()
    try:
        yield poller
    finally:
        poller.close()


def wait_for(poller: PipePoller[str], wanted: str) -> int:
    """Wait for an event of ``wanted``; what others report meanwhile is dropped."""
    end = monotonic() + 10
    while monotonic() < end:
        event = poller.wait(1)
        if event is not None and event[0] == wanted:
            return event[1]
    raise AssertionError(f"nothing of {wanted} in time")
