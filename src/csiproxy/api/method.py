"""One RPC of one version: its message classes, the operation it asks for, and the way there and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from csiproxy.errors import InvalidArgument

if TYPE_CHECKING:
    from google.protobuf.message import Message

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class UnreadableMessage(InvalidArgument):
    """The bytes of a request or reply are no message of its type."""


def operation_name(rpc: str) -> str:
    """Return the snake_case name of an RPC: ``ListDiskIDs`` -> ``list_disk_ids``."""
    return _WORD.sub("_", rpc.replace("IDs", "Ids")).lower()


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC as one version has it.

    ``request`` and ``reply`` are this version's own classes, with its own field names; ``hub_request`` and
    ``hub_reply`` are what the operation speaks.  Where ``to_hub`` is None, the hub's class reads the
    request's bytes as they are; where ``from_hub`` is None, the hub's reply is the reply, byte for byte.
    ``ask`` and ``hear`` are the same for who calls: from the hub's request to this version's, from this
    version's reply to the hub's.  The converters take a message and the class wanted; ``to_hub`` and ``ask``
    may raise :class:`csiproxy.errors.InvalidArgument`.
    """

    rpc: str
    operation: str
    request: type[Message]
    reply: type[Message]
    hub_request: type[Message]
    hub_reply: type[Message]
    to_hub: Callable[[Message, type[Message]], Message] | None = None
    from_hub: Callable[[Message, type[Message]], Message] | None = None
    ask: Callable[[Message, type[Message]], Message] | None = None
    hear: Callable[[Message, type[Message]], Message] | None = None

    def read_request(self, data: bytes) -> Message:
        """Return the hub's request for the bytes of this version's request.

        Raises :class:`UnreadableMessage` for bytes that are no such message (text that is not UTF-8
        included) and :class:`csiproxy.errors.InvalidArgument` for values that the hub cannot express.
        """
        from google.protobuf.message import DecodeError  # here, as protobuf loads at the first call

        try:
            if self.to_hub is None:
                return self.hub_request.FromString(data)
            message = self.request.FromString(data)
        except DecodeError as error:
            name = self.request.DESCRIPTOR.full_name
            raise UnreadableMessage(f"the request is not a readable {name} message") from error
        return self.to_hub(message, self.hub_request)

    def write_reply(self, reply: Message) -> bytes:
        """Return the bytes of this version's reply for the hub's reply."""
        if self.from_hub is not None:
            reply = self.from_hub(reply, self.reply)
        return reply.SerializeToString()

    def write_request(self, request: Message) -> bytes:
        """Return the bytes of this version's request for the hub's request.

        Raises :class:`csiproxy.errors.InvalidArgument` for values that this version cannot express.
        """
        if self.ask is not None:
            request = self.ask(request, self.request)
        return request.SerializeToString()

    def read_reply(self, data: bytes) -> Message:
        """Return the hub's reply for the bytes of this version's reply.

        Raises :class:`UnreadableMessage` for bytes that are no such message.
        """
        from google.protobuf.message import DecodeError  # here, as protobuf loads at the first call

        try:
            if self.hear is None:
                return self.hub_reply.FromString(data)
            return self.hear(self.reply.FromString(data), self.hub_reply)
        except DecodeError as error:
            name = self.reply.DESCRIPTOR.full_name
            raise UnreadableMessage(f"the reply is not a readable {name} message") from error
