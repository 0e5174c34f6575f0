"""Self-tests of pipes: what Wine does as Windows is found to, and what it does not is found out."""

import ctypes
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.doctor import pipes
from csiproxy.doctor.ground import Ground
from csiproxy.doctor.outcome import Differs
from csiproxy.windows import this_machine

pytestmark = pytest.mark.windows

ON_WINE = hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")


@pytest.fixture
def ground() -> Ground:
    return Ground(this_machine.host(), None, True)


@pytest.mark.parametrize(
    "self_test",
    [pipes.owner, pipes.remote_clients, pipes.account_lookup, pipes.last_words, pipes.thread_that_ends],
)
def test_a_windows_that_does_what_is_assumed_is_found_to(ground, self_test) -> None:
    assert self_test(ground)


@pytest.mark.skipif(not ON_WINE, reason="this is what Wine does not enforce")
@pytest.mark.parametrize(
    ("self_test", "text"),
    [
        (pipes.first_instance, "a second first instance was made"),
        (pipes.access_list, "a client was let in"),
        (pipes.anonymous_client, "impersonated, it is S-1-5-21-"),
    ],
)
def test_what_wine_does_otherwise_is_found_out(ground, self_test, text) -> None:
    with pytest.raises(Differs, match=text):
        self_test(ground)
