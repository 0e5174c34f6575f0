"""A request as the audit trail shows it: like proto JSON, with the caller's field names, without secrets."""

import base64
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from csiproxy.server.audit import LONGEST_TEXT, Json, shorten

MOST_ENTRIES = 64
"""Entries of one repeated field or map that a record keeps."""
DEEPEST = 8
"""Messages inside messages that a record follows; the API has two."""

# Values of a field have the type that its descriptor says, which no static type can follow.
_Show = Callable[[Any], Json]

_WIDE = (
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT64,
)


def renderer(descriptor: Descriptor, depth: int = DEEPEST) -> Callable[[Message], Json]:
    """Compile how a message of this type is shown.

    Every field is shown, also one with its default value (disk 0 is a disk), except unset messages.  As in
    proto JSON (https://protobuf.dev/programming-guides/json/) enums are names, 64-bit numbers texts, bytes
    base64.  Long texts and lists are cut and say so.
    """
    if depth == 0:
        return lambda _: "…"
    plan = tuple((field.name, field.has_presence, _shown(field, depth)) for field in descriptor.fields)

    def show(message: Message) -> Json:
        return {
            name: shown(getattr(message, name))
            for name, has_presence, shown in plan
            if not has_presence or message.HasField(name)
        }

    return show


_OBJECTS = frozenset({"volume_id", "volume_ids", "volume_device", "disk_number", "disk_device", "diskIDs"})


def objects(descriptor: Descriptor) -> Callable[[Message], Json] | None:
    """Compile how the objects that a reply names are shown; None for replies that name none.

    They tell which volume a path led to and on which disk a volume was, which no later look at the node can.
    """
    plan = tuple(
        (field.name, _shown(field, 1))
        for field in descriptor.fields
        if field.name in _OBJECTS and field.message_type is None
    )
    if not plan:
        return None
    return lambda message: {name: shown(getattr(message, name)) for name, shown in plan}


def _shown(field: FieldDescriptor, depth: int) -> _Show:
    if field.GetOptions().debug_redact:
        return lambda _: "***"
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        value = _value(entry.fields_by_name["value"], depth)
        return lambda entries: _cut_map(entries, value)
    show = _value(field, depth)
    return (lambda items: _cut_list(items, show)) if field.is_repeated else show


def _value(field: FieldDescriptor, depth: int) -> _Show:
    if field.GetOptions().debug_redact:
        return lambda _: "***"
    if field.message_type is not None:
        return renderer(field.message_type, depth - 1)
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda number: names.get(number, number)
    if field.type == FieldDescriptor.TYPE_STRING:
        return shorten
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes
    return str if field.cpp_type in _WIDE else _unchanged


def _bytes(value: bytes) -> Json:
    kept = base64.b64encode(value[:LONGEST_TEXT]).decode("ascii")
    return kept if len(value) <= LONGEST_TEXT else f"{kept}…[+{len(value) - LONGEST_TEXT} bytes]"


def _cut_list(items: Any, show: _Show) -> Json:
    shown = [show(item) for item in items[:MOST_ENTRIES]]
    return shown if len(items) <= MOST_ENTRIES else [*shown, f"…[+{len(items) - MOST_ENTRIES} entries]"]


def _cut_map(entries: Any, show: _Show) -> Json:
    kept = sorted(entries)[:MOST_ENTRIES]
    shown: dict[str, Json] = {shorten(str(key)): show(entries[key]) for key in kept}
    if len(entries) > len(kept):
        shown["…"] = f"[+{len(entries) - len(kept)} entries]"
    return shown


def _unchanged(value: Any) -> Any:
    return value
