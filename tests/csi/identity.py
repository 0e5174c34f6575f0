"""A plugin of nothing but Identity, in this process."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.csi.serving import server
from csiproxy.errors import FailedPrecondition

IDENTITY = v1_pb2.DESCRIPTOR.services_by_name["Identity"]


class Identity:
    """Says ``name``; Probe and capabilities fail, each in a way of its own."""

    def __init__(self, name: str = "disk.csi.example") -> None:
        self.name = name

    def get_plugin_info(self, request, call):
        return v1_pb2.GetPluginInfoResponse(name=self.name, vendor_version="1")

    def probe(self, request, call):
        raise FailedPrecondition("it can never become ready; take another")

    def get_plugin_capabilities(self, request, call):
        raise ValueError("the password is hunter2")


@contextmanager
def serving(path: Path, identity: Identity, log: io.StringIO | None = None) -> Iterator[Caller]:
    """Serve it, and give what calls it."""
    running = server({IDENTITY: identity}, log or io.StringIO())
    running.add(address.listen(str(path), "csi"))
    running.start()
    caller = Caller(address.channel(str(path)), v1_pb2.DESCRIPTOR)
    try:
        yield caller
    finally:
        caller.close()
        running.stop(0)
