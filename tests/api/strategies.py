"""Hypothesis strategies for messages of any type, every field of them set or not."""

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message_factory import GetMessageClass
from hypothesis import settings
from hypothesis import strategies as st

UNHURRIED = settings(deadline=None)
"""A busy machine is no failure."""

BRIEF = settings(deadline=None, max_examples=10)
"""For tests that run once for each of the 171 endpoints."""

SCALARS = {
    Field.TYPE_STRING: st.text(max_size=20),
    Field.TYPE_BOOL: st.booleans(),
    Field.TYPE_UINT32: st.integers(0, 2**32 - 1),
    Field.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    Field.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
}


def messages(descriptor, **fixed):
    """Return messages of a type; ``fixed`` gives the strategies of some of its fields."""
    kind = GetMessageClass(descriptor)
    fields = {field.name: _values(field) for field in descriptor.fields} | fixed
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: kind(**values))


def _values(field):
    inside = field.message_type
    if inside and inside.GetOptions().map_entry:
        key, value = inside.fields_by_name["key"], inside.fields_by_name["value"]
        return st.dictionaries(_one(key), _one(value), max_size=3)
    return st.lists(_one(field), max_size=3) if field.is_repeated else _one(field)


def _one(field):
    if field.message_type:
        return messages(field.message_type)
    if field.enum_type:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return SCALARS[field.type]
