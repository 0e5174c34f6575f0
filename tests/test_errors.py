"""Every error says what to do by its class, and carries a status and a Windows code that fit."""

import inspect

import pytest

from csiproxy import errors
from csiproxy.errors import CimError, Code, CsiProxyError, HostError, HostUnreachable, Win32Error, WindowsCode

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, CsiProxyError) and found is not CsiProxyError
]


def test_status_numbers_are_those_of_grpc():
    grpc = pytest.importorskip("grpc")
    assert {code.name: int(code) for code in Code} == {code.name: code.value[0] for code in grpc.StatusCode}


@pytest.mark.parametrize("error", CLASSES)
def test_a_class_has_a_status_of_its_own_and_a_windows_code_that_is_a_failure(error):
    assert error.code not in (Code.OK, Code.UNKNOWN)
    assert [other for other in CLASSES if other.code == error.code] == [error]
    assert error("x").windows_code == int(error.default_windows_code) != 0
    assert type(error("x").windows_code) is int


@pytest.mark.parametrize("error", CLASSES)
def test_a_windows_code_and_its_origin_are_kept(error):
    made = error("no", 41002, origin="MSFT_Disk.Initialize returned 41002")
    assert (str(made), made.windows_code, made.origin) == ("no", 41002, "MSFT_Disk.Initialize returned 41002")
    assert error("no", 0).windows_code == 0  # what is given is given


@pytest.mark.parametrize("error", CLASSES)
def test_a_class_says_in_its_docstring_what_it_means(error):
    assert error.__doc__


def test_statuses_follow_csi():
    assert errors.InvalidArgument.code is Code.INVALID_ARGUMENT
    assert errors.Aborted.code is Code.ABORTED
    assert errors.Aborted("x").windows_code == 170
    assert errors.NotFound("x").windows_code == 1168
    assert errors.AlreadyExists("x").windows_code == 183
    assert errors.PermissionDenied("x").windows_code == 5


def test_windows_codes_are_unique():
    assert len({int(code) for code in WindowsCode}) == len(WindowsCode.__members__)


def test_a_host_failure_is_no_error_for_a_client():
    for error in (Win32Error(2, "CreateFileW"), CimError(0x80041001, "ExecQuery"), HostUnreachable("gone")):
        assert isinstance(error, HostError)
        assert not isinstance(error, CsiProxyError)


def test_host_failures_say_which_call_failed_how():
    error = Win32Error(WindowsCode.DIR_NOT_EMPTY, "RemoveDirectoryW", "x is inside")
    assert str(error) == "RemoveDirectoryW failed with Windows error 145: x is inside"
    assert type(error.windows_code) is int
    assert str(CimError(-2147217407, "ExecQuery")) == "ExecQuery failed with HRESULT 0x80041001"
    assert CimError(-2147217407, "ExecQuery").hresult == 0x80041001
