"""The way of one RPC: wire message, hub message, operation, hub reply, wire reply.

This module and what it imports need protobuf, so the dispatcher imports it at the first call and not at
the start.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError, Message

from csiproxy.api.secret_bytes import TakenOut, marked, secret_numbers, take_out
from csiproxy.api.versions import Contract, Method
from csiproxy.errors import Code, CsiProxyError, ResourceExhausted, Unavailable, Unimplemented, WindowsCode
from csiproxy.operations.context import Context
from csiproxy.operations.secret import Secret
from csiproxy.rpc.status import RpcError
from csiproxy.server.arguments import objects, renderer
from csiproxy.server.audit import Json
from csiproxy.server.binder import Binding, ShapeError, bind, descriptor_of
from csiproxy.wiping import wipe

SERVICE_GROUP = "csi-proxy"
"""The group of CSIProxyService, whose failures travel in the reply's ``error_code``."""

_ERROR_CODE = "error_code"

# What these say is about the call and not about the storage, so a client learns it from the gRPC status.
_ALWAYS_A_STATUS = frozenset({Code.CANCELLED, Code.DEADLINE_EXCEEDED})


@dataclass(frozen=True, slots=True)
class Route:
    """One RPC of one version, ready to be called.

    ``show`` renders a wire request for the audit trail, ``name`` the objects in a reply of the newest version
    (None where it has none); ``operation`` and ``binding`` are None where this build has no such operation;
    ``secrets`` are the numbers of the request's secret fields.  Protobuf never sees those: it gets marks in
    their places.
    """

    contract: Contract
    method: Method
    show: Callable[[Message], Json]
    name: Callable[[Message], Json] | None
    operation: Callable[..., object] | None
    binding: Binding | None
    secrets: frozenset[int] = frozenset()

    def decode(self, message: bytes) -> Message:
        """Read the request as this version's message; raise RpcError when it is not one."""
        try:
            return self.method.request.FromString(
                self._taken_out(message).message if self.secrets else message
            )
        except DecodeError:
            name = self.method.request.DESCRIPTOR.full_name
            raise RpcError(Code.INVALID_ARGUMENT, f"the request is not a readable {name} message") from None

    def run(self, context: Context, message: bytes, wire: Message) -> Message:
        """Run the operation and return the newest version's reply; raise CsiProxyError.

        ``wire`` is what :meth:`decode` made of ``message``.
        """
        if self.operation is None or self.binding is None:
            raise Unimplemented(f"{self.contract.name} {self.method.rpc} is not available in this csi-proxy")
        if not self.secrets:
            arguments = self.binding.arguments(self._to_hub(message, wire))
            context.check()
            return self.binding.reply(self.operation(context, **arguments))
        message, secrets = self._taken_out(message)
        marked_ones = self.binding.arguments(self._to_hub(message, wire))
        arguments = {name: _in_place(value, secrets) for name, value in marked_ones.items()}
        try:
            context.check()
            return self.binding.reply(self.operation(context, **arguments))
        finally:
            for secret in secrets:
                wipe(secret)
                secret.clear()

    def write(self, reply: Message) -> bytes:
        """A reply of the newest version in this version's form."""
        return self.method.write_reply(reply)

    def _taken_out(self, message: bytes) -> TakenOut:
        """The message without its secrets, and those; raise DecodeError when it is none."""
        found = take_out(message, self.secrets)
        if found is None:
            raise DecodeError("no message")
        return found

    def _to_hub(self, message: bytes, wire: Message) -> Message:
        """The hub's request; what has been parsed is not parsed again."""
        method = self.method
        if method.to_hub is not None:
            return method.to_hub(wire, method.hub_request)
        return wire if method.request is method.hub_request else method.read_request(message)

    def reply_for(self, error: CsiProxyError) -> bytes | None:
        """The reply that carries a failure, None where the failure is the gRPC status."""
        if self.contract.group != SERVICE_GROUP or error.code in _ALWAYS_A_STATUS or _is_of_the_proxy(error):
            return None
        return self.method.reply(error_code=_int32(error.windows_code)).SerializeToString()


def _in_place(value: object, secrets: list[bytearray]) -> object:
    """A parameter: the secret itself in the place of its mark."""
    if not isinstance(value, Secret):
        return value
    with value.revealed() as mark:
        return Secret(marked(mark, secrets))


def _int32(windows_code: int) -> int:
    """A Win32 code, which is unsigned, in a field that is signed; never 0, which would say success."""
    code = (windows_code & 0xFFFFFFFF) or WindowsCode.GEN_FAILURE
    return code - (1 << 32) if code >> 31 else code


def _is_of_the_proxy(error: CsiProxyError) -> bool:
    """Whether the proxy hit a limit of its own, or has no host to ask.

    A full disk and a server that does not answer have Windows codes of their own.
    """
    return (
        isinstance(error, ResourceExhausted | Unavailable)
        and error.windows_code == type(error).default_windows_code
    )


def find(contract: Contract, path: str, operations: object) -> Route | None:
    """The route of ``/package.Service/Rpc``, None for an unknown one.

    Raise ShapeError when the operation does not fit: a mistake in the program.
    """
    method = contract.methods().get(path)
    if method is None:
        return None
    operation = _operation(contract, method, operations)
    binding = _bind(contract, method, operation) if operation else None
    request = descriptor_of(method.request)
    show, name = renderer(request), objects(descriptor_of(method.hub_reply))
    return Route(contract, method, show, name, operation, binding, secret_numbers(request))


def misfits(contract: Contract, operations: object) -> Iterator[str]:
    """Say of each RPC of a contract that cannot be served what keeps it from that, in one line each.

    It is served when its operation exists, has exactly the request's fields as parameters, and a result
    whose fields are the reply's.
    """
    for path, method in contract.methods().items():
        operation = _operation(contract, method, operations)
        if operation is None:
            yield f"{path}: there is no operation {contract.group}.{method.operation}"
            continue
        try:
            _bind(contract, method, operation)
        except ShapeError as error:
            yield f"{path}: {contract.group}.{method.operation}: {error}"


def _operation(contract: Contract, method: Method, operations: object) -> Callable[..., object] | None:
    group = "csi_proxy_service" if contract.group == SERVICE_GROUP else contract.group
    operation: object = getattr(getattr(operations, group, None), method.operation, None)
    return operation if callable(operation) else None


def _bind(contract: Contract, method: Method, operation: Callable[..., object]) -> Binding:
    left_out = frozenset({_ERROR_CODE}) if contract.group == SERVICE_GROUP else frozenset()
    return bind(operation, method.hub_request, method.hub_reply, not_in_result=left_out)
