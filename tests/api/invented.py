"""Invented message types, for rules that must also hold for versions that do not exist yet."""

import itertools

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

_SERIAL = itertools.count()


def message(*fields, enum=(0, 1)):
    """Return a descriptor: ``message("1 string path", "2 repeated uint32 ids", "3 enum kind")``."""
    file = FileDescriptorProto(name=f"invented{next(_SERIAL)}.proto", package="invented", syntax="proto3")
    made = file.message_type.add(name="Message")
    kinds = made.enum_type.add(name="Kind")
    for number in enum:
        kinds.value.add(name=f"KIND_{number}", number=number)
    inner = made.nested_type.add(name="Inner")
    inner.field.add(name="inside", number=1, type=FieldDescriptorProto.TYPE_STRING, label=1)
    for text in fields:
        number, *repeated, kind, name = text.split()
        field = made.field.add(name=name, number=int(number), label=3 if repeated else 1)
        field.type = getattr(FieldDescriptorProto, f"TYPE_{kind.upper()}")
        if kind == "enum":
            field.type_name = ".invented.Message.Kind"
        if kind == "message":
            field.type_name = ".invented.Message.Inner"
    pool = DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("invented.Message")
