"""Objects through COM, as a program written with pywin32 has them."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.emulator.automation import (
    VALUE,
    Automation,
    AutomationError,
    Byte,
    Outcome,
    Short,
    method,
    prop,
)

# First of the two: it chooses the kind of apartment.
from csiproxy.emulator.com_gateway import Gateway, serving

# isort: split

import pythoncom
import pywintypes
from win32com.client import VARIANT

pytestmark = pytest.mark.windows

CLASS_ID = "{2C1B8F62-6A57-4E0B-9B0B-6B6F0B7C9A11}"
BY_REFERENCE = pythoncom.VT_BYREF | pythoncom.VT_VARIANT


class Echo(Automation):
    def __init__(self, value: object = None) -> None:
        self.value = value

    def _set(self, value: object) -> None:
        self.value = value

    def each(self):
        return [Echo(number) for number in range(100)]

    @prop("Value", VALUE, put=_set)
    def get_value(self) -> object:
        return self.value

    @method("Tell")
    def tell(self, one: object = None, two: object = None, three: object = None) -> object:
        self.value = (one, two, three)
        return one

    @method("Fill")
    def fill(self, one: object = None, two: object = None, three: object = None) -> object:
        return Outcome(7, {1: "text", 2: Echo(5)})

    @method("Fail")
    def fail(self, hresult: object = None) -> object:
        raise AutomationError(int(hresult), "as asked")

    @method("Break")
    def break_(self) -> object:
        raise ValueError("a defect")


class Program:
    """A program that has one object."""

    def __init__(self, target) -> None:
        self.target = target

    def _invoke(self, name, how, *arguments):
        given = [one.target if isinstance(one, Program) else one for one in arguments]
        found = self.target.Invoke(self.target.GetIDsOfNames(name), 0, how, True, *given)
        return Program(found) if isinstance(found, pythoncom.TypeIIDs[pythoncom.IID_IDispatch]) else found

    def call(self, name, *arguments):
        return self._invoke(name, pythoncom.DISPATCH_METHOD, *arguments)

    def get(self, name):
        return self._invoke(name, pythoncom.DISPATCH_PROPERTYGET)

    def put(self, name, value):
        self._invoke(name, pythoncom.DISPATCH_PROPERTYPUT, value)


@pytest.fixture(scope="module")
def program():
    with serving(CLASS_ID, Echo):
        yield lambda: Program(
            pythoncom.CoCreateInstance(CLASS_ID, None, pythoncom.CLSCTX_LOCAL_SERVER, pythoncom.IID_IDispatch)
        )


@pytest.mark.parametrize(
    "value", [None, True, False, 0, -1, (1 << 31) - 1, "", "text", "\U0001f600", (1, "a", None, True), ()]
)
def test_values_go_and_come(program, value):
    echo = program()
    echo.put("Value", value)
    assert echo.get("Value") == value


def test_every_program_has_an_object_of_its_own_and_objects_come_back_as_themselves(program):
    one, two = program(), program()
    one.put("Value", 1)
    two.put("Value", 2)
    assert (one.get("Value"), two.get("Value")) == (1, 2)
    back = one.call("Tell", two)
    back.put("Value", 3)
    assert two.get("Value") == 3


def test_an_argument_that_is_left_out_is_none(program):
    echo = program()
    echo.call("Tell", 1, pythoncom.Empty)
    assert echo.get("Value") == (1, None, None)


@pytest.mark.parametrize("kinds", [(0, 1, 1), (1, 1, 1), (1, 0, 1), (0, 0, 1), (0, 0, 0)])
def test_what_comes_back_is_put_where_an_argument_refers_to(program, kinds):
    arguments = [VARIANT(BY_REFERENCE, 1) if kind else 1 for kind in kinds]
    assert program().call("Fill", *arguments) == 7
    if kinds[0]:
        assert arguments[0].value == 1
    if kinds[1]:
        assert arguments[1].value == "text"
    if kinds[2]:
        assert Program(arguments[2].value._oleobj_).get("Value") == 5


def test_a_collection_gives_all_it_has(program):
    unknown = program().target.Invoke(pythoncom.DISPID_NEWENUM, 0, pythoncom.DISPATCH_PROPERTYGET, True)
    rows = unknown.QueryInterface(pythoncom.IID_IEnumVARIANT)
    found = []
    while some := rows.Next(30):
        found += [Program(one).get("Value") for one in some]
    assert found == list(range(100))
    rows.Reset()
    rows.Skip(98)
    assert [Program(one).get("Value") for one in rows.Next(30)] == [98, 99]


def test_failures_of_the_use_are_coms_and_others_the_objects_own(program):
    echo = program()
    for call, hresult in (
        (lambda: echo.call("Nothing"), 0x80020006),
        (lambda: echo.get("Tell"), 0x80020003),
        (lambda: echo.call("Tell", 1, 2, 3, 4), 0x8002000E),
    ):
        with pytest.raises(pywintypes.com_error) as failure:
            call()
        assert failure.value.args[0] & 0xFFFFFFFF == hresult
    with pytest.raises(pywintypes.com_error) as failure:
        echo.call("Fail", 0x80041017 - (1 << 32))
    own = failure.value.args[2]
    assert (own[5] & 0xFFFFFFFF, own[2]) == (0x80041017, "as asked")


def test_a_defect_is_an_answer_too(program, capfd):
    with pytest.raises(pywintypes.com_error) as failure:
        program().call("Break")
    assert "a defect" in failure.value.args[2][2]
    assert "Traceback" in capfd.readouterr().err


def test_small_numbers_have_their_own_types():
    kinds = {}
    for value in (Byte(5), Short(-5), 5):
        echo = Program(pythoncom.ObjectFromAddress(_address(Gateway(Echo(value))), pythoncom.IID_IDispatch))
        kinds[type(value)] = echo.get("Value")
    assert kinds == {Byte: 5, Short: -5, int: 5}


def _address(gateway) -> int:
    import ctypes

    pointer = gateway.pointer()
    return ctypes.cast(pointer, ctypes.c_void_p).value
