"""What a foreign code means: every known one has a class that fits, an unknown one is nobody's fault."""

import pytest

from csiproxy import errors
from csiproxy.emulator.return_codes import ReturnCode
from csiproxy.errors import (
    Aborted,
    AlreadyExists,
    CimError,
    CsiProxyError,
    DeadlineExceeded,
    FailedPrecondition,
    HostError,
    HostUnreachable,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    Unavailable,
    Win32Error,
    WindowsCode,
)
from csiproxy.host.cim import Instance, Result
from csiproxy.storage.codes import CIM, HRESULT, SERVICE, WIN32, expect, judge, judged


@pytest.mark.parametrize("code", sorted(WIN32))
def test_a_windows_code_is_passed_on_unchanged_with_what_was_tried_and_the_call(code):
    error = judge(Win32Error(code, "CreateFileW", "the detail"), "open C:\\x")
    assert type(error) is WIN32[code][0]
    assert error.windows_code == code
    assert str(error).startswith("cannot open C:\\x: ")
    assert str(error).endswith(" (the detail)")
    assert error.origin == f"CreateFileW: Windows error {code}"


def test_a_windows_code_that_nobody_knows_is_internal_and_still_passed_on():
    error = judge(Win32Error(1314, "CreateFileW"), "open")
    assert (type(error), error.windows_code) == (Internal, 1314)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (2, NotFound), (3, NotFound), (5, PermissionDenied), (19, FailedPrecondition),
        (50, FailedPrecondition), (123, InvalidArgument), (145, FailedPrecondition),
        (161, InvalidArgument), (170, Aborted),
        (183, AlreadyExists), (206, InvalidArgument), (258, Aborted), (267, FailedPrecondition),
        (1168, NotFound), (1460, DeadlineExceeded), (4395, PermissionDenied),
    ],
)  # fmt: skip
def test_the_codes_of_the_contract_have_the_classes_of_the_contract(code, wanted):
    assert WIN32[code][0] is wanted


def test_every_code_that_this_program_names_is_judged():
    # Codes that only ever are a result of ours, or say that all went well.
    ours = {
        WindowsCode.SUCCESS, WindowsCode.INVALID_FUNCTION, WindowsCode.INVALID_HANDLE,
        WindowsCode.GEN_FAILURE, WindowsCode.OPERATION_ABORTED,
        WindowsCode.IO_PENDING, WindowsCode.CONNECTION_INVALID,
        WindowsCode.UNRECOGNIZED_MEDIA, WindowsCode.DEVICE_IN_USE,
    }  # fmt: skip
    services = {code for code in WindowsCode if 1050 < code < 1080}
    assert {int(code) for code in set(WindowsCode) - ours - services} <= set(WIN32)


@pytest.mark.parametrize("value", sorted(CIM))
def test_a_return_value_becomes_the_class_and_code_of_its_row(value):
    row = CIM[value]
    with pytest.raises(CsiProxyError) as caught:
        expect(Result(value, {}), "MSFT_Disk.Initialize", "initialise disk 1")
    assert type(caught.value) is row.error
    assert caught.value.windows_code == row.windows_code != 0
    assert caught.value.origin == f"MSFT_Disk.Initialize returned {value}"
    assert row.page


@pytest.mark.parametrize("value", [code for code in ReturnCode if code], ids=str)
def test_whatever_the_emulated_provider_returns_has_a_row(value):
    assert int(value) in CIM


@pytest.mark.parametrize(
    ("value", "wanted", "code"),
    [
        (3, DeadlineExceeded, 1460), (4, Internal, 31), (6, Aborted, 170), (8, NotFound, 1168),
        (4097, OutOfRange, 87), (40003, Unavailable, 1237), (41001, AlreadyExists, 183),
        (41002, FailedPrecondition, 19), (41003, FailedPrecondition, 21), (42009, FailedPrecondition, 1005),
    ],
)  # fmt: skip
def test_a_few_return_values_that_callers_act_on(value, wanted, code):
    assert (CIM[value].error, CIM[value].windows_code) == (wanted, code)


def test_a_return_value_that_is_not_documented_is_internal():
    with pytest.raises(Internal) as caught:
        expect(Result(59999, {}), "MSFT_Disk.Initialize", "initialise disk 1")
    assert caught.value.windows_code == WindowsCode.GEN_FAILURE
    assert "59999" in caught.value.origin


def test_the_providers_own_sentence_is_kept():
    status = Instance("MSFT_StorageExtendedStatus", "", {"Message": "The disk is write protected."})
    with pytest.raises(FailedPrecondition, match=r"\(The disk is write protected\.\)"):
        expect(Result(41002, {"ExtendedStatus": status}), "MSFT_Disk.Initialize", "initialise disk 1")


def test_success_and_what_is_tolerated_pass():
    done = Result(0, {})
    assert expect(done, "M", "x") is done
    tolerated = Result(41001, {})
    assert expect(tolerated, "M", "x", also=(41001,)) is tolerated


def test_another_table_has_its_own_meanings():
    with pytest.raises(NotFound) as caught:
        expect(Result(9, {}), "Win32_Service.StartService", "start service x", table=SERVICE)
    assert caught.value.windows_code == 3


@pytest.mark.parametrize("hresult", sorted(HRESULT))
def test_an_hresult_of_wmi_becomes_the_class_and_code_of_its_row(hresult):
    error = judge(CimError(hresult, "ExecQuery"), "list the disks")
    assert (type(error), error.windows_code) == HRESULT[hresult][:2]
    assert error.origin == f"ExecQuery: HRESULT 0x{hresult:08x}"


@pytest.mark.parametrize("hresult", [0x80070005, 0x80070005 - (1 << 32)])
def test_an_hresult_that_wraps_a_windows_code_is_that_code(hresult):
    error = judge(CimError(hresult, "ExecQuery"), "list the disks")
    assert (type(error), error.windows_code) == (PermissionDenied, 5)


def test_an_hresult_that_nobody_knows_is_internal():
    for hresult in (0x8007FFFE, 0x80049999):
        assert type(judge(CimError(hresult, "ExecQuery"), "x")) is Internal


def test_a_host_that_does_not_answer_is_unavailable():
    error = judge(HostUnreachable("the node has gone"), "list the disks")
    assert (type(error), error.windows_code) == (Unavailable, 1722)


def test_a_host_failure_of_no_known_kind_is_internal():
    assert type(judge(HostError("?"), "x")) is Internal


def test_only_host_failures_are_judged():
    with pytest.raises(ZeroDivisionError), judged("x"):
        raise ZeroDivisionError
    refusal = InvalidArgument("no")
    with pytest.raises(InvalidArgument) as caught, judged("x"):
        raise refusal
    assert caught.value is refusal


def test_a_judged_failure_keeps_its_cause():
    cause = Win32Error(2, "CreateFileW")
    with pytest.raises(NotFound) as caught, judged("open"):
        raise cause
    assert caught.value.__cause__ is cause


def test_a_row_never_means_success_and_has_a_class_that_a_client_can_get():
    for error in [row.error for row in CIM.values()] + [row[0] for row in WIN32.values()]:
        assert error is getattr(errors, error.__name__)
        assert error.code != errors.Code.OK
