import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import wire
from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.inventory import DiskReport, ServiceReport, VolumeReport
from csiproxy.emulator.namespace import MountedDirectory
from csiproxy.emulator.places import Places
from csiproxy.emulator.state import StateError
from csiproxy.emulator.wire import Failure, Greeting, Reply, Request, WireError
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

# What the host's file names may hold, undecodable bytes too; two lone surrogates in a row may be one letter.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.just("\udcff"), max_size=20)
NUMBERS = st.integers(-(2**63), 2**64 - 1)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS


def instances(values):
    return st.builds(Instance, TEXTS, TEXTS, st.dictionaries(TEXTS, values, max_size=3))


CIM_VALUES = st.recursive(
    PLAIN, lambda values: st.lists(values, max_size=3).map(tuple) | instances(values), max_leaves=8
)
IDENTIFIERS = st.builds(
    StorageIdentifier,
    st.sampled_from(CodeSet),
    st.sampled_from(IdentifierType),
    st.sampled_from(Association),
    st.binary(max_size=40),
)
PLACES = st.builds(Places, st.dictionaries(TEXTS, TEXTS, max_size=3), TEXTS)
VOLUMES = st.builds(VolumeReport, TEXTS, st.lists(TEXTS, max_size=2).map(tuple), TEXTS, TEXTS)
FAULTS = st.builds(
    Fault, TEXTS, st.sampled_from(Action), NUMBERS, st.sampled_from(When), NUMBERS,
    st.floats(allow_nan=False, allow_infinity=False), NUMBERS,
)  # fmt: skip
RECORDS = (
    instances(CIM_VALUES)
    | st.builds(Result, NUMBERS, st.dictionaries(TEXTS, CIM_VALUES, max_size=3))
    | st.builds(Entry, TEXTS, st.sampled_from(EntryKind), TEXTS)
    | st.builds(StorageDevice, NUMBERS, st.lists(IDENTIFIERS, max_size=3).map(tuple))
    | PLACES
    | st.builds(MountedDirectory, TEXTS, NUMBERS, NUMBERS)
    | st.builds(Greeting, NUMBERS, NUMBERS, PLACES)
    | st.builds(
        DiskReport, NUMBERS, TEXTS, NUMBERS, st.booleans(), TEXTS, TEXTS, TEXTS, TEXTS, st.booleans(),
        st.booleans(), st.lists(VOLUMES, max_size=2).map(tuple),
    )
    | FAULTS
    | st.builds(ServiceReport, TEXTS, TEXTS, TEXTS, TEXTS)
)  # fmt: skip
ANYTHING = st.recursive(
    PLAIN | st.floats(allow_nan=False, allow_infinity=False) | st.binary(max_size=20) | RECORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(TEXTS, inner, max_size=3)
        | st.builds(Reply, inner)
        | st.builds(Request, TEXTS, st.lists(inner, max_size=3).map(tuple))
    ),
    max_leaves=10,
)
ERRORS = (
    st.builds(Win32Error, NUMBERS, TEXTS, TEXTS)
    | st.builds(CimError, NUMBERS, TEXTS, TEXTS)
    | st.builds(HostUnreachable, TEXTS)
    | st.builds(HostError, TEXTS)
    | st.builds(WireError, TEXTS)
)


def types(value):
    """The types all the way down: equality alone does not tell True from 1."""
    if isinstance(value, dict):
        return [(key, types(part)) for key, part in value.items()]
    if isinstance(value, (list, tuple)):
        return [type(value), *map(types, value)]
    return type(value)


@given(ANYTHING)
def test_a_value_comes_back_as_it_was(value):
    there = wire.encode(value)
    back = wire.decode(there)
    assert there.isascii()
    assert back == value
    assert types(back) == types(value)


@given(ERRORS)
def test_an_error_comes_back_with_all_it_says(error):
    failure = wire.decode(wire.encode(Failure(error)))
    assert isinstance(failure, Failure)
    assert type(failure.error) is type(error)
    assert str(failure.error) == str(error)
    assert vars(failure.error) == vars(error)


def test_an_error_without_a_form_of_its_own_comes_back_as_what_it_is_derived_from():
    failure = wire.decode(wire.encode(Failure(StateError("the file is damaged"))))
    assert isinstance(failure, Failure)
    assert type(failure.error) is HostError
    assert str(failure.error) == "the file is damaged"


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_value_or_a_wire_error(text):
    with suppress(WireError):
        wire.decode(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(
            inner | st.sampled_from(["Request", "tuple", "list", "dict", "bytes", "Entry", "EntryKind"]),
            max_size=5,
        )
        | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=20,
)


@given(JSON)
def test_arbitrary_json_is_a_value_or_a_wire_error(plain):
    try:
        value = wire.decode(json.dumps(plain).encode())
    except WireError:
        return
    assert types(wire.decode(wire.encode(value))) == types(value)


@given(RECORDS, st.data())
def test_a_message_with_one_part_replaced_is_a_value_or_a_wire_error(value, data):
    plain = json.loads(wire.encode(value))
    place = plain
    while isinstance(place, list) and len(place) > 1:
        index = data.draw(st.integers(0, len(place) - 1))
        if not isinstance(place[index], list) or data.draw(st.booleans()):
            place[index] = data.draw(JSON)
            break
        place = place[index]
    with suppress(WireError):
        wire.decode(json.dumps(plain).encode())


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", b"[]", b"[1]", b'["os.system","x"]', b'["HostError"]', b'["HostError",1]', b"NaN",
        b"1e999", b'["Entry"]', b'["EntryKind"]', b'["EntryKind","door"]', b'["CodeSet",true]',
        b'["CodeSet",1.0]', b'["dict","a"]', b'["dict",1,2]', b'["dict",["list"],2]',
        b'["dict","a",1,"a",2]', b'["bytes","?"]',
        b'["bytes",1]', b'["Entry","a",["EntryKind","file"],1]', b'["StorageDevice",true,["tuple"]]',
        b'["Failure",["WireError","x"],1]', b'["Failure","x"]', b"\xff", b'"\xc3\xa9"', b"1" * 5000,
        str(2**64).encode(), b"[" * 100_000, b'["list",' * 40 + b"1" + b"]" * 40,
        b'["Action","explode"]', b'["When",1]', b'["ServiceReport","a","b","c"]',
        b'["Fault","a",["Action","hang"],1,["When","before"],0,1,0]',
        b'["Fault","a",["Action","hang"],true,["When","before"],0,1.5,0]',
        b'["Fault","a",["When","before"],1,["When","before"],0,1.5,0]',
    ],
    ids=range(36),
)  # fmt: skip
def test_what_no_value_encodes_to_is_refused(text):
    with pytest.raises(WireError):
        wire.decode(text)


@pytest.mark.parametrize(
    "value", [object(), {1: 2}, 2**64, -(2**63) - 1, math.nan, math.inf, {1, 2}, ValueError("x")]
)
def test_what_no_message_can_hold_is_refused(value):
    with pytest.raises(WireError):
        wire.decode(wire.encode(Reply(value)))


def test_a_value_that_is_nested_without_end_is_refused():
    value: list[object] = []
    value.append(value)
    with pytest.raises(WireError):
        wire.encode(value)
