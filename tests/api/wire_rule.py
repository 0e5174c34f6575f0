"""The rule that lets a message of one version be read and written with another version's class.

Names are not on the wire, so they may differ; numbers, types and labels are.
"""

from google.protobuf.descriptor import FieldDescriptor as Field

NAMES = {
    value: name.removeprefix("TYPE_").lower()
    for name, value in vars(Field).items()
    if name.startswith("TYPE_")
}


def request_faults(old, hub, where=""):
    """Say why an old request's bytes must not be read with the hub's class; nothing: they may.

    Both ways the same numbers, types, labels and enum values: a field that the hub alone has would be
    obeyed though the old version does not know it, and one that the old version alone has would be lost.
    """
    yield from _only("only the old version has", old, hub, where)
    yield from _only("only the hub has", hub, old, where)
    for number in _numbers(old) & _numbers(hub):
        mine, theirs = old.fields_by_number[number], hub.fields_by_number[number]
        at = f"{where}{mine.name} ({number})"
        if (mine.type, mine.is_repeated) != (theirs.type, theirs.is_repeated):
            yield f"{at}: {_kind(mine)} here, {_kind(theirs)} in the hub"
        elif mine.message_type:
            yield from request_faults(mine.message_type, theirs.message_type, at + ".")
        elif mine.enum_type and _values(mine) != _values(theirs):
            yield f"{at}: enum values differ"


def reply_faults(old, hub, where=""):
    """Say why the hub's reply's bytes must not be sent to an old version's client; nothing: they may.

    What the hub sends is a subset of what the old version has, with the same types, or uint32 where the old
    version reads int64.
    """
    yield from _only("only the hub has", hub, old, where)
    for number in _numbers(old) & _numbers(hub):
        mine, theirs = old.fields_by_number[number], hub.fields_by_number[number]
        at = f"{where}{mine.name} ({number})"
        widened = (theirs.type, mine.type) == (Field.TYPE_UINT32, Field.TYPE_INT64)
        if mine.is_repeated != theirs.is_repeated or not (mine.type == theirs.type or widened):
            yield f"{at}: {_kind(mine)} here, {_kind(theirs)} in the hub"
        elif mine.message_type:
            yield from reply_faults(mine.message_type, theirs.message_type, at + ".")
        elif mine.enum_type and not _values(theirs) <= _values(mine):
            yield f"{at}: the hub has more enum values"


def _only(words, one, other, where):
    for number in sorted(_numbers(one) - _numbers(other)):
        yield f"{words} {where}{one.fields_by_number[number].name} ({number})"


def _numbers(message):
    return set(message.fields_by_number)


def _kind(field):
    return ("repeated " if field.is_repeated else "") + NAMES[field.type]


def _values(field):
    return {value.number for value in field.enum_type.values}
