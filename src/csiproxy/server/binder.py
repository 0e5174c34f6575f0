"""Between messages and operations: a hub request becomes keyword arguments, a result becomes a hub reply.

An operation is a plain function: ``get_disk_stats(context: Context, disk_number: int) -> DiskStats``.  The
call's context is given by position, everything else by name.  What these and the result are annotated with
decides how a message is taken apart and put together, once per operation: :func:`bind` compiles a plan, and
a call only follows it.

Names are compared in lower case without underscores, because the field's own spelling of them varies
(``LUNID``, ``diskIDs``, ``MutualChapSecret``).

================== =============================================== =====================================
field              parameter                                       in a result
================== =============================================== =====================================
number, bool, text ``int``, ``bool``, ``str``, ``bytes``,          the same
                   ``float``, or a NewType of one
``debug_redact``   ``Secret``                                      does not occur
enum               ``int``, or an ``IntEnum`` of the same numbers  the same
message            a dataclass ``| None``; None when it is unset   a dataclass, may be None
``repeated``       ``tuple[X, …]``                                 ``tuple[X, …]`` or ``list[X]``
``map``            ``dict[K, V]``                                  ``dict[K, V]`` or ``Mapping[K, V]``
================== =============================================== =====================================
"""

import dataclasses
import inspect
import operator
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Union

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from csiproxy.errors import InvalidArgument
from csiproxy.operations.context import Context
from csiproxy.operations.secret import Secret

# A value has the type that its field's descriptor or annotation says, which no static type can follow.
_Convert = Callable[[Any], Any]
_Read = Callable[[Any], Any]

_SCALARS: Mapping[int, type] = {
    FieldDescriptor.CPPTYPE_INT32: int,
    FieldDescriptor.CPPTYPE_INT64: int,
    FieldDescriptor.CPPTYPE_UINT32: int,
    FieldDescriptor.CPPTYPE_UINT64: int,
    FieldDescriptor.CPPTYPE_DOUBLE: float,
    FieldDescriptor.CPPTYPE_FLOAT: float,
    FieldDescriptor.CPPTYPE_BOOL: bool,
}


class ShapeError(TypeError):
    """An operation does not fit its RPC: a mistake in the program, never in a request."""


@dataclasses.dataclass(frozen=True, slots=True)
class Binding:
    """The plan for one RPC.

    ``arguments`` turns a hub request into keyword arguments and raises InvalidArgument for an enum number
    that the operation does not know; ``reply`` turns the operation's result into a hub reply.
    """

    arguments: Callable[[Message], dict[str, Any]]
    reply: Callable[[object], Message]


def bind(
    operation: Callable[..., object],
    request: type[Message],
    reply: type[Message],
    *,
    not_in_result: frozenset[str] = frozenset(),
) -> Binding:
    """Compile the plan for ``operation``; raise ShapeError when its signature does not fit the two messages.

    ``not_in_result`` names fields of the reply that somebody else sets (``error_code``).
    """
    hints = _hints(operation)
    if "return" not in hints:
        raise ShapeError("the result has no annotation")
    parameters = list(inspect.signature(operation).parameters.values())
    if not parameters or hints.get(parameters[0].name) is not Context:
        raise ShapeError("the first parameter must be the call's Context")
    expected: dict[str, object] = {}
    for parameter in parameters[1:]:
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ShapeError(f"parameter '{parameter.name}' cannot be given by its name")
        if parameter.name not in hints:
            raise ShapeError(f"parameter '{parameter.name}' has no annotation")
        expected[parameter.name] = hints[parameter.name]
    take_apart = _reader(descriptor_of(request), expected, "parameter")
    return Binding(take_apart, _reply_builder(reply, hints["return"], not_in_result))


def descriptor_of(message: type[Message]) -> Descriptor:
    """The descriptor of a message class, as the one of two equal types that this module speaks of."""
    return typing.cast("Descriptor", message.DESCRIPTOR)


def same_name(name: str) -> str:
    """The form in which names of fields, parameters and attributes are compared."""
    return name.replace("_", "").lower()


# -- from a message to values ------------------------------------------------------------------------------


def _reader(
    descriptor: Descriptor, expected: Mapping[str, object], what: str
) -> Callable[[Message], dict[str, Any]]:
    """Read every field of a message under the name and type that is expected for it."""
    reads: list[tuple[str, _Read]] = []
    for name, field in _matched(descriptor.fields, expected, what).items():
        reads.append((name, _reading(field, expected[name])))
    plan = tuple(reads)
    return lambda message: {name: read(message) for name, read in plan}


def _reading(field: FieldDescriptor, annotation: object) -> _Read:
    """How one field is read off its message."""
    name = field.name
    get = operator.attrgetter(name)
    if _is_map(field):
        key, value = _key_and_value(field, annotation)
        del key  # a key is a number or a text: nothing to convert
        return lambda message: {k: value(v) for k, v in get(message).items()}
    if field.is_repeated:
        item = _from_message(field, _item(field, annotation, (tuple,)))
        return lambda message: tuple(item(value) for value in get(message))
    if field.has_presence:
        convert = _from_message(field, _optional(field, annotation))
        return lambda message: convert(get(message)) if message.HasField(name) else None
    if not _converts(field, annotation):
        _from_message(field, annotation)  # only its check of the annotation
        return get
    convert = _from_message(field, annotation)
    return lambda message: convert(get(message))


def _converts(field: FieldDescriptor, annotation: object) -> bool:
    """Whether a plain field's value is anything else than what the message gives."""
    return _is_secret(field) or (field.enum_type is not None and annotation is not int)


def _from_message(field: FieldDescriptor, annotation: object) -> _Convert:
    """How one value of a field becomes what the annotation asks for."""
    if field.message_type is not None:
        build = _dataclass(field, annotation)
        read = _reader(field.message_type, _hints(build), "field")
        return lambda message: build(**read(message))
    if _is_secret(field):
        if annotation is not Secret:
            raise ShapeError(f"'{field.name}' is a secret and must be a Secret, not {_show(annotation)}")
        return Secret
    if field.enum_type is not None:
        return _enum_reader(field, field.enum_type, annotation)
    _expect_scalar(field, annotation)
    return _unchanged


def _enum_reader(field: FieldDescriptor, enum: EnumDescriptor, annotation: object) -> _Convert:
    numbers = _enum(field, enum, annotation)
    if numbers is None:
        return _unchanged
    allowed = ", ".join(f"{value.number} ({value.name})" for value in enum.values)

    def convert(number: int) -> IntEnum:
        try:
            return numbers(number)
        except ValueError:
            raise InvalidArgument(f"{field.name} {number} does not exist: use one of {allowed}") from None

    return convert


# -- from values to a message ------------------------------------------------------------------------------


def _reply_builder(
    reply: type[Message], annotation: object, not_in_result: frozenset[str]
) -> Callable[[object], Message]:
    fields = [field for field in descriptor_of(reply).fields if field.name not in not_in_result]
    if annotation is None or annotation is type(None):
        if fields:
            raise ShapeError(f"the result is None, but the reply has {', '.join(f.name for f in fields)}")
        return lambda _: reply()
    if not (isinstance(annotation, type) and dataclasses.is_dataclass(annotation)):
        raise ShapeError(f"the result must be a dataclass or None, not {_show(annotation)}")
    return _builder(reply, fields, _hints(annotation))


def _builder(
    message: type[Message], fields: Sequence[FieldDescriptor], expected: Mapping[str, object]
) -> Callable[[object], Message]:
    writes: list[tuple[str, _Read]] = []
    for name, field in _matched(fields, expected, "result field").items():
        writes.append((field.name, _writing(operator.attrgetter(name), field, expected[name])))
    plan = tuple(writes)
    return lambda result: message(**{name: write(result) for name, write in plan})


def _writing(get: _Read, field: FieldDescriptor, annotation: object) -> _Read:
    """How the value of one field is made from the result."""
    if _is_map(field):
        key, value = _key_and_value(field, annotation, to_message=True)
        return lambda result: {key(k): value(v) for k, v in get(result).items()}
    if field.is_repeated:
        item = _to_message(field, _item(field, annotation, (tuple, list)))
        return lambda result: [item(value) for value in get(result)]
    convert = _to_message(
        field, _optional(field, annotation, must=False) if field.has_presence else annotation
    )
    if convert is _unchanged:
        return get
    if field.has_presence:
        return lambda result: None if get(result) is None else convert(get(result))
    return lambda result: convert(get(result))


def _to_message(field: FieldDescriptor, annotation: object) -> _Convert:
    if field.message_type is not None:
        message = GetMessageClass(field.message_type)
        return _builder(message, field.message_type.fields, _hints(_dataclass(field, annotation)))
    if field.enum_type is not None:
        _enum(field, field.enum_type, annotation)
        return _unchanged
    _expect_scalar(field, annotation)
    return _utf8 if field.type == FieldDescriptor.TYPE_STRING else _unchanged


def _utf8(text: str) -> str:
    """Text that a protobuf string can hold: names on NTFS may have unpaired surrogates, UTF-8 may not."""
    return (
        text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )


def _unchanged(value: Any) -> Any:
    return value


# -- fields and annotations --------------------------------------------------------------------------------


def _matched(
    fields: Sequence[FieldDescriptor], expected: Mapping[str, object], what: str
) -> dict[str, FieldDescriptor]:
    """The field behind each expected name; ShapeError unless both sides have exactly the same names."""
    by_name = {same_name(field.name): field for field in fields}
    found = {name: by_name.pop(same_name(name), None) for name in expected}
    unknown = [name for name, field in found.items() if field is None]
    if unknown:
        raise ShapeError(f"{what} '{unknown[0]}' has no field in the message")
    if by_name:
        raise ShapeError(f"the message's field '{next(iter(by_name.values())).name}' has no {what}")
    return {name: field for name, field in found.items() if field is not None}


def _hints(thing: object) -> dict[str, object]:
    return typing.get_type_hints(thing)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_secret(field: FieldDescriptor) -> bool:
    return field.GetOptions().debug_redact


def _key_and_value(
    field: FieldDescriptor, annotation: object, *, to_message: bool = False
) -> tuple[_Convert, _Convert]:
    entry = field.message_type
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) not in (dict, Mapping) or len(arguments) != 2 or entry is None:
        raise ShapeError(f"'{field.name}' is a map and must be a dict, not {_show(annotation)}")
    convert = _to_message if to_message else _from_message
    key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
    return convert(key, arguments[0]), convert(value, arguments[1])


def _item(field: FieldDescriptor, annotation: object, kinds: tuple[type, ...]) -> object:
    arguments = typing.get_args(annotation)
    fits = arguments[1:] == (...,) if typing.get_origin(annotation) is tuple else len(arguments) == 1
    if typing.get_origin(annotation) not in kinds or not fits:
        raise ShapeError(f"'{field.name}' is repeated and must be a tuple[…, ...], not {_show(annotation)}")
    return arguments[0]


def _optional(field: FieldDescriptor, annotation: object, *, must: bool = True) -> object:
    """The X of ``X | None``."""
    if typing.get_origin(annotation) in (types.UnionType, Union):
        arguments = typing.get_args(annotation)
        rest = [argument for argument in arguments if argument is not type(None)]
        if len(rest) == 1 and len(arguments) == 2:
            return rest[0]
    elif not must:
        return annotation
    raise ShapeError(f"'{field.name}' may be unset and must be something | None, not {_show(annotation)}")


def _dataclass(field: FieldDescriptor, annotation: object) -> type:
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return annotation
    raise ShapeError(f"'{field.name}' is a message and must be a dataclass, not {_show(annotation)}")


def _enum(field: FieldDescriptor, enum: EnumDescriptor, annotation: object) -> type[IntEnum] | None:
    """The IntEnum that an enum field is annotated with, None for a plain int."""
    if annotation is int:
        return None
    if isinstance(annotation, type) and issubclass(annotation, IntEnum):
        if {int(member) for member in annotation} == {value.number for value in enum.values}:
            return annotation
        raise ShapeError(f"'{field.name}': {_show(annotation)} and {enum.full_name} have different numbers")
    raise ShapeError(f"'{field.name}' is an enum and must be an int or an IntEnum, not {_show(annotation)}")


def _expect_scalar(field: FieldDescriptor, annotation: object) -> None:
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    text = bytes if field.type == FieldDescriptor.TYPE_BYTES else str
    wanted = _SCALARS.get(field.cpp_type, text)
    if annotation is not wanted:
        raise ShapeError(f"'{field.name}' must be {wanted.__name__}, not {_show(annotation)}")


def _show(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
