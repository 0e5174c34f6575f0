"""Values of the CIM half of the port: NULL and missing read as empty, other types never as something."""

import pytest

from csiproxy.host.cim import CIMV2, SMB, STORAGE, Instance, Result, namespace_of

DISK = Instance(
    "MSFT_Disk",
    "key",
    {
        "Path": "p",
        "Number": 3,
        "IsOffline": True,
        "Guid": None,
        "AccessPaths": ("a", None, "b"),
        "Size": "7",
        "Status": (2, None, 5),
    },
)


def test_properties_are_read_by_their_type():
    assert DISK.text("Path") == "p"
    assert DISK.number("Number") == 3
    assert DISK.flag("IsOffline") is True
    assert DISK.texts("AccessPaths") == ("a", "b")
    assert DISK.numbers("Status") == (2, 5)


@pytest.mark.parametrize("name", ["Guid", "Missing"])
def test_null_and_missing_are_empty(name):
    assert DISK.text(name) == ""
    assert DISK.number(name) == 0
    assert DISK.flag(name) is False
    assert DISK.texts(name) == ()
    assert DISK.numbers(name) == ()


def test_a_value_of_another_type_is_as_good_as_none():
    assert DISK.number("Size") == 0
    assert DISK.text("Number") == ""
    assert DISK.flag("Number") is False
    assert DISK.texts("Path") == ()
    assert DISK.numbers("Number") == ()


def test_out_parameters_are_read_alike():
    result = Result(0, {"SizeMax": 5, "CreatedPartition": DISK, "ExtendedStatus": None})
    assert result.number("SizeMax") == 5
    assert result.number("Missing") == 0
    assert result.instance("CreatedPartition") is DISK
    assert result.instance("ExtendedStatus") is None
    assert result.instance("SizeMax") is None


@pytest.mark.parametrize(
    ("class_name", "namespace"),
    [
        ("MSFT_Disk", STORAGE),
        ("MSFT_iSCSITarget", STORAGE),
        ("MSFT_SmbGlobalMapping", SMB),
        ("Win32_Service", CIMV2),
        ("Win32_BIOS", CIMV2),
        ("CIM_BIOSElement", CIMV2),
    ],
)
def test_a_class_is_looked_for_in_its_namespace(class_name, namespace):
    assert namespace_of(class_name) == namespace
