"""A client's call as data, made in this process or over the wire, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from csiproxy.api import versions
from csiproxy.api.versions import Contract, Method
from csiproxy.cli.json_message import plain
from csiproxy.errors import CsiProxyError
from csiproxy.operations import Operations
from csiproxy.operations.context import Context
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError
from csiproxy.server import route

CALL_SECONDS = 60.0


@dataclass(frozen=True)
class Request:
    """One RPC of one version (``disk/v1``) with its message's fields."""

    contract: str
    rpc: str
    fields: Mapping[str, object] = field(default_factory=dict)

    @property
    def version(self) -> Contract:
        return versions.contract(self.contract)

    @property
    def path(self) -> str:
        return f"/{self.version.service}/{self.rpc}"

    @property
    def method(self) -> Method:
        return self.version.methods()[self.path]

    @property
    def message(self) -> bytes:
        return self.method.request(**self.fields).SerializeToString()


@dataclass(frozen=True)
class Outcome:
    """What a call gave: a reply's fields, or what kind of failure with which Windows code."""

    reply: str = ""
    failure: str = ""
    windows_code: int = 0


def perform(operations: Operations, request: Request, context: Context | None = None) -> Outcome:
    """Make the call in this process, the way the dispatcher makes it."""
    found = route.find(request.version, request.path, operations)
    assert found is not None
    try:
        wire = found.decode(request.message)
        data = found.write(found.run(context or Context(), request.message, wire))
    except CsiProxyError as error:
        return Outcome(failure=type(error).__name__, windows_code=error.windows_code)
    return Outcome(reply=str(plain(request.method.reply.FromString(data))))


def call(channel: Channel, request: Request, timeout: float = CALL_SECONDS) -> Outcome:
    """Make the call over the wire; an error code in the reply is a failure like any other."""
    try:
        data = channel.call(request.path, request.message, timeout=timeout)
    except RpcError as error:
        return Outcome(failure=error.code.name)
    reply = plain(request.method.reply.FromString(data))
    code = reply.get("error_code", 0)
    if code:
        return Outcome(failure="error_code", windows_code=int(str(code)))
    return Outcome(reply=str(reply))
