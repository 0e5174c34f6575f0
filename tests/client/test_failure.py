"""A failure is one of the error classes, with the Windows code where the server told it."""

import pytest

from csiproxy import errors
from csiproxy.api import status_details
from csiproxy.client.failure import from_status, from_text, from_windows_code
from csiproxy.errors import Code, CsiProxyError
from csiproxy.rpc.status import RpcError


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_every_status_becomes_the_class_of_its_code(code):
    error = from_status(RpcError(code, "why"))
    assert str(error) == "why"
    assert error.code is (Code.PERMISSION_DENIED if code is Code.UNAUTHENTICATED else code)
    assert error.windows_code == type(error).default_windows_code


def test_the_details_of_our_server_give_the_whole_text_the_windows_code_and_its_origin():
    details = status_details.encode(
        Code.FAILED_PRECONDITION, "the disk is offline", windows_code=21, origin="MSFT_Disk.X returned 41003"
    )
    error = from_status(RpcError(Code.FAILED_PRECONDITION, "cut", details))
    assert type(error) is errors.FailedPrecondition
    assert (str(error), error.windows_code) == ("the disk is offline", 21)
    assert error.origin == "MSFT_Disk.X returned 41003"


def test_details_of_somebody_else_say_nothing_about_windows():
    details = status_details.encode(Code.NOT_FOUND, "x", windows_code=5, origin="", domain="elsewhere")
    error = from_status(RpcError(Code.NOT_FOUND, "no disk", details))
    assert (str(error), error.windows_code) == ("no disk", 1168)
    assert from_status(RpcError(Code.NOT_FOUND, "no disk", b"\xff\xff")).windows_code == 1168


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (183, errors.AlreadyExists, "Windows error 183 ERROR_ALREADY_EXISTS"),
        (4711, errors.Internal, "Windows error 4711"),
        (-2147467259, errors.Internal, "Windows error 2147500037"),
    ],
)
def test_an_error_code_of_the_service_becomes_the_class_that_it_means(code, kind, text):
    error = from_windows_code(code)
    assert type(error) is kind
    assert error.windows_code == code & 0xFFFFFFFF
    assert text in str(error)


def test_an_error_text_of_an_early_version_is_an_unknown_failure():
    assert type(from_text("it broke")) is CsiProxyError
