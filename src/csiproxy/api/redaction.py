"""Secrets in messages: the fields that the .proto files mark ``[debug_redact = true]``.

A message that is logged, audited or printed goes through :func:`redacted` first.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

HIDDEN = "***"

M = TypeVar("M", bound=Message)


def is_secret(field: FieldDescriptor) -> bool:
    """Tell whether a field carries a password or another secret."""
    return bool(field.GetOptions().debug_redact)


@cache
def holds_secrets(message: Descriptor) -> bool:
    """Tell whether a message type has a secret field, in itself or in a message inside.

    The API's messages do not contain themselves, so the walk ends.
    """
    return any(
        is_secret(field) or (field.message_type is not None and holds_secrets(field.message_type))
        for field in message.fields
    )


def redacted(message: M) -> M:
    """Return a copy with ``***`` for every secret that is set, or the message itself if it can hold none."""
    if not holds_secrets(message.DESCRIPTOR):
        return message
    copy = type(message)()
    copy.CopyFrom(message)
    _hide(copy)
    return copy


def _hide(message: Message) -> None:
    for field, value in message.ListFields():
        if is_secret(field):
            _replace(message, field)
        elif field.message_type is not None and holds_secrets(field.message_type):
            for inner in _messages_in(field, value):
                _hide(inner)


def _messages_in(field: FieldDescriptor, value: Any) -> Iterable[Message]:  # Any: protobuf types no container
    if isinstance(value, Message):
        return (value,)
    inside = field.message_type
    found: Iterable[Message] = value.values() if inside and inside.GetOptions().map_entry else value
    return found


def _replace(message: Message, field: FieldDescriptor) -> None:
    """Put ``***`` into a text; any other kind of secret is emptied, which hides even more."""
    message.ClearField(field.name)
    if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
        setattr(message, field.name, HIDDEN)
