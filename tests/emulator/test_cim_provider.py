"""What the storage classes share: identifiers, comparisons, and how refusals become return values."""

import pytest

from csiproxy.emulator.cim_provider import Association, End, matches, offset_guid, run
from csiproxy.emulator.partition_table import LayoutError
from csiproxy.emulator.return_codes import MethodFailed, ReturnCode
from csiproxy.errors import Win32Error


def raising(error: Exception):
    def call():
        raise error

    return call


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (1 << 24, "{00000000-0000-0000-0000-000100000000}"),
        (1 << 20, "{00000000-0000-0000-0000-100000000000}"),
        (17408, "{00000000-0000-0000-0044-000000000000}"),
    ],
)
def test_an_offset_is_written_as_windows_writes_it(offset, text):
    assert offset_guid(offset) == text


@pytest.mark.parametrize(
    ("value", "wanted", "equal"),
    [
        ("Disk", "dISK", True),
        ("Disk", "Dis", False),
        (67, "c", True),
        (67, "CD", False),
        (67, 67, True),
        (None, 0, False),
        (False, False, True),
        (True, False, False),
    ],
)
def test_a_condition_is_compared_as_in_wql(value, wanted, equal):
    assert matches({"A": value}, {"A": wanted}) is equal


def test_properties_that_are_not_known_yet_decide_nothing():
    assert matches({"A": 1}, {"A": 1, "Size": 5})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MethodFailed(ReturnCode.DISK_OFFLINE, "why"), 41003),
        (LayoutError("why"), 4),
        (Win32Error(112, "WriteFile", "why"), 40000),
        (Win32Error(19, "WriteFile", "why"), 41002),
        (Win32Error(1117, "ReadFile", "why"), 40004),
    ],
)
def test_a_failure_becomes_a_return_value_with_its_reason(error, code):
    result = run(raising(error), {"ExtendedStatus": "MSFT_StorageExtendedStatus", "SizeMax": "uint64"})
    assert result.return_value == code
    assert result.instance("ExtendedStatus").text("Message").endswith("why")
    assert result.out["SizeMax"] is None
    assert run(raising(error), {}).out == {}


def test_a_role_tells_the_two_ends_of_one_class_apart():
    services = Association(
        "Depends", (End("Dependent", "Service"), End("Antecedent", "Service")), lambda *_: []
    )
    assert services.towards("service", "Service", "dependent") == ["Dependent"]
    assert services.towards("Service", "Service", "") == ["Dependent", "Antecedent"]
    assert services.towards("Disk", "Service", "") == []
