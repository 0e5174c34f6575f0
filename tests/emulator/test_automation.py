"""Members by name and by number, as IDispatch has them."""

import pytest

from csiproxy.emulator.automation import (
    NEW_ENUM,
    VALUE,
    Automation,
    AutomationError,
    How,
    Hresult,
    Outcome,
    method,
    prop,
)


class Lamp(Automation):
    def __init__(self) -> None:
        self.power = 3

    def _set(self, value: object) -> None:
        self.power = value

    @prop("Power", put=_set)
    def get_power(self) -> object:
        return self.power

    @prop("Brand")
    def brand(self) -> object:
        return "X"

    @method("Blink")
    def blink(self, times: object = None, pause: object = None) -> object:
        return (times, pause)

    @method("Dim", unused=1)
    def dim(self, level: object = None) -> object:
        return level

    @method("Measure")
    def measure(self, place: object = None) -> object:
        return Outcome(0, {0: 7})


class Chain(Automation):
    def each(self):
        return [Lamp(), Lamp()]

    @method("Item", VALUE)
    def item(self, index: object = None) -> object:
        return self.each()[index]

    @prop("Lamps")
    def lamps(self) -> object:
        return self


class Better(Lamp):
    @prop("Colour")
    def colour(self) -> object:
        return "red"


def use(target, name, how, *arguments):
    return target.invoke(target.dispid(name), how, arguments)


def test_properties_are_read_and_set_by_any_spelling_of_their_name():
    lamp = Lamp()
    assert use(lamp, "pOwEr", How.GET).value == 3
    use(lamp, "POWER", How.PUT, 9)
    assert use(lamp, "power", How.CALL | How.GET).value == 9


def test_methods_take_as_many_arguments_as_they_have_or_fewer():
    assert use(Lamp(), "Blink", How.CALL).value == (None, None)
    assert use(Lamp(), "Blink", How.CALL | How.GET, 2).value == (2, None)
    assert use(Lamp(), "Measure", How.CALL, None) == Outcome(0, {0: 7})


def test_arguments_that_mean_nothing_may_be_given():
    assert use(Lamp(), "Dim", How.CALL, 5).value == 5
    assert use(Lamp(), "Dim", How.CALL, 5, 0x30).value == 5


def test_what_an_object_consists_of_is_found_under_its_number():
    assert len(Chain().invoke(NEW_ENUM, How.GET, ()).value) == 2
    assert use(Chain(), "Lamps", How.GET, 1).value.power == 3


def test_a_derived_object_has_the_members_of_both_and_no_number_twice():
    better = Better()
    assert use(better, "Colour", How.GET).value == "red"
    assert len({better.dispid(name) for name in ("Power", "Brand", "Blink", "Measure", "Colour")}) == 5


REFUSED = {
    "unknown name": (lambda: Lamp().dispid("None"), Hresult.UNKNOWN_NAME),
    "unknown number": (lambda: Lamp().invoke(77, How.GET, ()), Hresult.MEMBER_NOT_FOUND),
    "dynamic number": (lambda: Lamp().invoke(1000, How.GET, ()), Hresult.MEMBER_NOT_FOUND),
    "a method as a property": (lambda: use(Lamp(), "Blink", How.GET), Hresult.MEMBER_NOT_FOUND),
    "setting what cannot be set": (lambda: use(Lamp(), "Brand", How.PUT, 1), Hresult.MEMBER_NOT_FOUND),
    "setting a method": (lambda: use(Lamp(), "Blink", How.PUT, 1), Hresult.MEMBER_NOT_FOUND),
    "setting to nothing": (lambda: use(Lamp(), "Power", How.PUT), Hresult.BAD_PARAMETER_COUNT),
    "too many behind what means nothing": (
        lambda: use(Lamp(), "Dim", How.CALL, 1, 2, 3),
        Hresult.BAD_PARAMETER_COUNT,
    ),
    "too many": (lambda: use(Lamp(), "Blink", How.CALL, 1, 2, 3), Hresult.BAD_PARAMETER_COUNT),
    "arguments to a plain value": (lambda: use(Lamp(), "Power", How.GET, 1), Hresult.BAD_PARAMETER_COUNT),
    "no use at all": (lambda: Lamp().invoke(Lamp().dispid("Power"), How(0), ()), Hresult.MEMBER_NOT_FOUND),
    "of which it consists": (lambda: Lamp().invoke(NEW_ENUM, How.GET, ()), Hresult.MEMBER_NOT_FOUND),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_use_that_does_not_fit_fails_as_in_com(case):
    call, hresult = REFUSED[case]
    with pytest.raises(AutomationError) as failure:
        call()
    assert failure.value.hresult == hresult
