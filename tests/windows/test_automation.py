"""What is an object, and what a failure says."""

import pytest

from csiproxy.windows.automation import AutomationError, is_object


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", b"x", (), [], memoryview(b"")])
def test_plain_values_are_no_objects(value):
    assert not is_object(value)


def test_everything_else_is_one():
    assert is_object(object())


def test_a_failure_has_an_unsigned_code():
    failure = AutomationError(-2147217394, "invalid namespace")
    assert failure.hresult == 0x8004100E
    assert str(failure) == "HRESULT 0x8004100e invalid namespace"
    assert str(AutomationError(0x80004005)) == "HRESULT 0x80004005"
