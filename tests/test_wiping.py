"""Overwriting reaches what nobody else has, and nothing else."""

import ctypes
import sys

import pytest

from csiproxy.wiping import _place, forget_locals, wipe

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="promised of CPython alone")


def fresh(text: str) -> str:
    """A text of its own, which no constant is."""
    return "".join(list(text))


@pytest.mark.parametrize("text", ["secret", "sécrèt", "пароль", "秘密の言葉", "pass\U0001f511word"])
def test_a_text_that_nobody_else_has_is_overwritten(text: str) -> None:
    value = fresh(text)
    at, size = _place(value)
    address = id(value) + at
    before = ctypes.string_at(address, size)
    assert before in (text.encode("latin-1", "replace"), text.encode("utf-16-le"), text.encode("utf-32-le"))
    assert wipe(value)
    assert ctypes.string_at(address, size) == bytes(size)


def test_bytes_are_overwritten_and_bytearrays_stay_in_their_place() -> None:
    value = bytes(bytearray(b"secret bytes"))
    assert wipe(value)
    assert value == bytes(12)
    array = bytearray(b"secret bytes")
    other = array
    assert wipe(array)
    assert other == bytes(12)


def test_what_somebody_else_has_stays() -> None:
    value = fresh("secret")
    other = [value]
    assert not wipe(value)
    assert other == ["secret"]
    assert wipe(value, holders=2)
    assert other == ["\0" * 6]


@pytest.mark.parametrize("value", ["", b"", "x", b"x"])
def test_what_everybody_has_stays(value: str | bytes) -> None:
    assert not wipe(value, holders=10**9)


def test_constants_and_names_stay() -> None:
    assert not wipe("a constant of this module")
    name = sys.intern(fresh("interned_name"))
    assert not wipe(name) or name  # a name that is used elsewhere has more holders
    assert "interned_name".isidentifier()


def test_a_subclass_is_left_alone() -> None:
    class Text(str):
        __slots__ = ()

    assert not wipe(Text("secret"), holders=9)


def test_the_way_of_a_failure_lets_go_of_what_it_had() -> None:
    value = fresh("secret")

    def inner(text: str) -> None:
        raise ValueError(len(text))

    def outer(text: str) -> None:
        try:
            inner(text)
        except ValueError as error:
            raise RuntimeError("outer") from error

    try:
        outer(value)
    except RuntimeError as error:
        assert not wipe(value)
        forget_locals(error)
        assert wipe(value)
    assert value == "\0" * 6
