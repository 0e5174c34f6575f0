"""The declarations: failures become OSError with the code of Windows."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.rpc import pipe_api as api

pytestmark = pytest.mark.windows


def test_a_failure_is_an_oserror_with_the_windows_code() -> None:
    with pytest.raises(FileNotFoundError) as failed:
        api.must(api.create_file(r"C:\no\such\file", api.GENERIC_READ, 0, None, api.OPEN_EXISTING, 0, None))
    assert failed.value.winerror in (2, 3)


def test_handles_do_not_lose_bits() -> None:
    port = api.must(api.create_port(api.INVALID_HANDLE, None, 0, 0))
    assert port != api.INVALID_HANDLE
    assert api.close_handle(port)
