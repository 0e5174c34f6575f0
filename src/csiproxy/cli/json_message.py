"""Messages as JSON under the field names of their own version.

Unlike protobuf's JSON mapping, 64-bit integers are numbers (no size of a disk comes near 2^53) and every
field is shown, set or not.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, cast  # Any: protobuf gives the values of fields no type

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from csiproxy.api.redaction import redacted

MAX_REQUEST = 1 << 20
"""Characters of a request; the largest real one has a few hundred."""

_TYPES = {
    FieldDescriptor.TYPE_BOOL: "true or false",
    FieldDescriptor.TYPE_STRING: "text",
    FieldDescriptor.TYPE_INT32: "int32",
    FieldDescriptor.TYPE_INT64: "int64",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_UINT64: "uint64",
}


class RequestError(Exception):
    """A text is no request of the message's type.  The text says why, and holds no value of a field."""


def read_request(text: str, kind: type[Message]) -> Message:
    """Return the request that a JSON object describes; raise :class:`RequestError`."""
    if len(text) > MAX_REQUEST:
        raise RequestError(f"the request is longer than {MAX_REQUEST} characters")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = str(error) if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        raise RequestError(f"the request is not JSON ({what}): write an object like {{}}") from error
    if not isinstance(data, dict):
        raise RequestError('the request is not a JSON object: write {"field": value, ...}')
    descriptor = descriptor_of(kind)
    _refuse_unknown(data, descriptor)
    message = kind()
    for name, value in data.items():
        try:
            json_format.ParseDict({name: value}, message)
        except (json_format.ParseError, ValueError, TypeError, RecursionError) as error:
            field = descriptor.fields_by_name[name]
            raise RequestError(f'the value of "{name}" does not fit: it is {describe_type(field)}') from error
    return message


def descriptor_of(kind: type[Message] | Message) -> Descriptor:
    """Return a message's descriptor, whichever implementation of protobuf made it."""
    return cast("Descriptor", kind.DESCRIPTOR)


def plain(message: Message) -> dict[str, object]:
    """Return a message as JSON has it, every field included; secrets are ``***``."""
    return _plain(redacted(message))


def describe_field(field: FieldDescriptor) -> str:
    """Return a field's name and type: ``disk_number (uint32)``."""
    return f"{field.name} ({describe_type(field)})"


def describe_fields(descriptor: Descriptor) -> str:
    """Return a message's fields in one line; ``no field`` when it has none."""
    return ", ".join(map(describe_field, descriptor.fields)) or "no field"


def describe_type(field: FieldDescriptor) -> str:
    """Return what a field holds, in the words of JSON."""
    inside = field.message_type
    if inside is not None and inside.GetOptions().map_entry:
        return f"object of {_single_type(inside.fields_by_name['value'])}"
    return f"array of {_single_type(field)}" if field.is_repeated else _single_type(field)


def _single_type(field: FieldDescriptor) -> str:
    if field.enum_type is not None:
        return " or ".join(f'"{value.name}"' for value in field.enum_type.values)
    if field.message_type is not None:
        return f"object with {describe_fields(field.message_type)}"
    return _TYPES.get(field.type, "number")


def _refuse_unknown(data: Mapping[str, object], descriptor: Descriptor) -> None:
    """A misspelt field must not be silently left out, at any depth."""
    for name, value in data.items():
        field = descriptor.fields_by_name.get(name)
        if field is None:
            near = difflib.get_close_matches(name, descriptor.fields_by_name, 1)
            hint = f'; did you mean "{near[0]}"? It' if near else "; it"
            raise RequestError(
                f'{descriptor.full_name} has no field "{name}"{hint} has: {describe_fields(descriptor)}'
            )
        inside = field.message_type
        if inside is None or inside.GetOptions().map_entry:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                _refuse_unknown(item, inside)


def _plain(message: Message) -> dict[str, object]:
    fields = descriptor_of(message).fields
    return {field.name: _value(field, getattr(message, field.name)) for field in fields}


def _value(field: FieldDescriptor, value: Any) -> object:
    inside = field.message_type
    if inside is not None and inside.GetOptions().map_entry:
        of_value = inside.fields_by_name["value"]
        return {str(key): _single(of_value, value[key]) for key in sorted(value)}
    if field.is_repeated:
        items: Iterable[Any] = value
        return [_single(field, item) for item in items]
    return _single(field, value)


def _single(field: FieldDescriptor, value: Any) -> object:
    if isinstance(value, Message):
        return _plain(value)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known is not None else int(value)
    return value
