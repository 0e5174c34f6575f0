"""Messages between a proxy and its node (:mod:`csiproxy.emulator.wire`): any text, read and written again."""

from collections.abc import Iterable, Mapping

from csiproxy.emulator import wire
from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.places import Places
from csiproxy.emulator.wire import WireError
from csiproxy.errors import CimError, HostError, HostUnreachable, Win32Error
from csiproxy.host.cim import Instance, Result
from csiproxy.host.win32 import (
    Association,
    CodeSet,
    Entry,
    EntryKind,
    IdentifierType,
    StorageDevice,
    StorageIdentifier,
)
from fuzz.broken import demand


def run(data: bytes) -> None:
    """What is read has a wire form, which is read as the same again."""
    try:
        value = wire.decode(data)
    except WireError as error:
        demand(len(str(error)) < 400, "a refusal can be shown")
        return
    again = wire.encode(value)
    demand(again.isascii(), "a message is ASCII")
    demand(_same(wire.decode(again), value), "a value is read as it was written")
    demand(wire.encode(wire.decode(again)) == again, "a value has one wire form")


def _same(one: object, other: object) -> bool:
    """Equal; errors, which compare by identity, by what they say."""
    if isinstance(one, BaseException) or type(one) is not type(other):
        return type(one) is type(other) and str(one) == str(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, wire.Failure) and isinstance(other, wire.Failure):
        return _same(one.error, other.error)
    if isinstance(one, wire.Reply) and isinstance(other, wire.Reply):
        return _same(one.value, other.value)
    if isinstance(one, wire.Request) and isinstance(other, wire.Request):
        return one.call == other.call and _same(one.arguments, other.arguments)
    return one == other


def seeds() -> Iterable[bytes]:
    """Every type that has a wire form, and texts that have none."""
    identifier = StorageIdentifier(CodeSet.BINARY, IdentifierType.EUI64, Association.DEVICE, b"\x01\xff")
    instance = Instance("MSFT_Disk", "1", {"Number": 7, "Size": 1 << 63, "Guid": None, "IsOffline": False})
    values: tuple[object, ...] = (
        None, True, -1, 1.5, "text ö\ud800", (1, ("a", None)), [1, [2]], {"key": {"k": 1}}, b"bytes",
        Entry("name", EntryKind.MOUNT_POINT, "target"), StorageDevice(3, (identifier,)), instance,
        Result(0, {"CreatedPartition": instance}), wire.Greeting(1, 2, Places({"C": "/c"}, "/locks")),
        wire.Request("instances", ("MSFT_Disk", {"Number": 7})), wire.Reply((instance,)),
        wire.Failure(Win32Error(5, "CreateFileW", "detail")),
        wire.Failure(CimError(0x80041010, "query", "d")),
        wire.Failure(HostUnreachable("gone")), wire.Failure(HostError("x")),
        Fault("Initialize", Action(next(iter(Action)).value), 1, next(iter(When)), 0, 0.5, 3),
    )  # fmt: skip
    yield from map(wire.encode, values)
    yield from (
        b'["Entry","a"]', b'["tuple"', b'{"a":1}', b"[" * 40 + b"]" * 40,
        b'["tuple",' * 30 + b"1" + b"]" * 30, b"1e999", b"NaN", b'["bytes","?"]',
        b'["EntryKind","x"]', b'["dict","a",1,"a",2]', b"18446744073709551616", b'["tuple",[]]',
    )  # fmt: skip
