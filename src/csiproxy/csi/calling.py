"""Calling a service with its own messages: which RPC is meant follows from the request's type."""

from typing import TypeVar

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import DecodeError, Message

from csiproxy.errors import Code
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError

R = TypeVar("R", bound=Message)


class Caller:
    """Calls the services of a .proto file over a channel."""

    def __init__(self, channel: Channel, file: FileDescriptor) -> None:
        self._channel = channel
        self._methods = {
            method.input_type.full_name: f"/{service.full_name}/{method.name}"
            for service in file.services_by_name.values()
            for method in service.methods
        }

    def call(self, request: Message, reply: type[R], *, timeout: float) -> R:
        """Make the call whose request this is, within ``timeout`` seconds.

        Raise RpcError: the plugin's status, DEADLINE_EXCEEDED, UNAVAILABLE when it cannot be reached,
        INTERNAL when what came back is no such reply.
        """
        method = self._methods[request.DESCRIPTOR.full_name]
        data = self._channel.call(method, request.SerializeToString(), timeout=timeout)
        try:
            return reply.FromString(data)
        except DecodeError as error:
            raise RpcError(Code.INTERNAL, f"what {method} answered cannot be read") from error

    def close(self) -> None:
        """Hang up."""
        self._channel.close()
