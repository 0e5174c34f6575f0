"""Return values: every one is documented for some method of the storage classes."""

from tests.emulator.documented_codes import DOCUMENTED

from csiproxy.emulator.return_codes import MethodFailed, ReturnCode

# Common to the storage classes; 43014 is of MSFT_Volume.Repair.
COMMON = {8}


def test_every_code_is_documented():
    listed = {
        code
        for found in DOCUMENTED.values()
        for method in found["methods"].values()
        for code in method["returns"]
    }
    assert {int(code) for code in ReturnCode} <= listed | COMMON


def test_a_refusal_carries_its_code_and_reason():
    error = MethodFailed(ReturnCode.DISK_OFFLINE, "disk 1 is offline")
    assert (error.code, str(error)) == (41003, "disk 1 is offline")
