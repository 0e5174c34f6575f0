"""The Windows error behind a status travels in the form that gRPC has for it."""

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from tests.api.interpreter import run
from tests.api.strategies import UNHURRIED

from csiproxy.api.status_details import TEXT_LIMIT, StatusDetails, decode, encode, windows_name
from csiproxy.errors import Code


def test_a_failure_is_a_status_with_an_error_info():
    data = encode(Code.PERMISSION_DENIED, "denied", windows_code=5, origin="CreateFileW")
    status = Status.FromString(data)
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (status.code, status.message, len(status.details)) == (7, "denied", 1)
    assert (info.reason, info.domain) == ("WINDOWS_5", "csi-proxy")
    metadata = {"windows_code": "5", "windows_name": "ERROR_ACCESS_DENIED", "origin": "CreateFileW"}
    assert dict(info.metadata) == metadata


def test_what_is_not_known_is_left_out():
    data = encode(Code.INTERNAL, "broken", windows_code=99999, origin="")
    info = ErrorInfo()
    Status.FromString(data).details[0].Unpack(info)
    assert dict(info.metadata) == {"windows_code": "99999"}


@UNHURRIED
@given(
    code=st.sampled_from(Code),
    message=st.text(max_size=TEXT_LIMIT),
    windows_code=st.integers(0, 2**32 - 1),
    origin=st.text(max_size=TEXT_LIMIT),
    domain=st.text(max_size=20),
)
def test_what_is_encoded_is_decoded(code, message, windows_code, origin, domain):
    data = encode(code, message, windows_code=windows_code, origin=origin, domain=domain)
    expected = StatusDetails(code, message, windows_code, windows_name(windows_code), origin, "", domain)
    assert decode(data) == expected


def test_a_long_text_is_cut_so_that_it_fits_a_trailer():
    found = decode(encode(Code.INTERNAL, "é" * 5000, windows_code=31, origin="x" * 5000))
    assert (found.message, found.origin) == ("é" * TEXT_LIMIT, "x" * TEXT_LIMIT)
    assert (
        len(encode(Code.INTERNAL, "x" * 5000, windows_code=31, origin="MSFT_Disk.Online returned 4"))
        < 6 * 1024
    )


def test_half_a_surrogate_pair_does_not_stop_an_error():
    assert (
        decode(encode(Code.NOT_FOUND, "C:\\a\ud800b", windows_code=2, origin="\udfff")).message == "C:\\a?b"
    )


@UNHURRIED
@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_none(data):
    found = decode(data)
    assert found is None or isinstance(found, StatusDetails)


def status_with(*details):
    status = Status(code=3, message="m")
    for detail in details:
        if isinstance(detail, Any):
            status.details.append(detail)
        else:
            status.details.add().Pack(detail)
    return status.SerializeToString()


@pytest.mark.parametrize("number", ["", "x", "-5", "٣", "1" * 30])
def test_a_windows_code_that_is_no_number_counts_as_absent(number):
    found = decode(status_with(ErrorInfo(domain="d", metadata={"windows_code": number})))
    assert (found.windows_code, found.domain) == (None, "d")


def test_details_of_other_kinds_are_passed_over():
    ours = ErrorInfo(domain="csi-proxy", metadata={"windows_code": "19"})
    assert decode(status_with(RetryInfo(), ours)).windows_code == 19
    assert decode(status_with(RetryInfo())) == StatusDetails(3, "m")
    assert decode(status_with()) == StatusDetails(3, "m")


def test_an_error_info_that_does_not_parse_is_unreadable():
    url = "type.googleapis.com/google.rpc.ErrorInfo"
    assert decode(status_with(Any(type_url=url, value=b"\xff\xff"))) is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "ERROR_SUCCESS"),
        (4395, "ERROR_REPARSE_POINT_ENCOUNTERED"),
        (1722, "RPC_S_SERVER_UNAVAILABLE"),
        (7, ""),
    ],
)
def test_codes_have_microsofts_names(code, name):
    assert windows_name(code) == name


def test_importing_it_imports_no_protobuf():
    code = (
        "import sys, csiproxy.api.status_details; print(*(m for m in sys.modules if m.startswith('google')))"
    )
    assert run(code) == []
