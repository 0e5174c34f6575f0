"""Privileges of this process are switched on and listed."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from csiproxy.windows import privileges

pytestmark = pytest.mark.windows


def test_what_is_held_can_be_switched_on() -> None:
    for name, enabled in privileges.held().items():
        if not enabled:
            assert privileges.enable(name)
            assert privileges.held()[name]
            return
    pytest.fail("this account has no privilege that is switched off")


def test_what_is_not_held_is_not_switched_on_and_is_no_failure() -> None:
    assert privileges.enable("SeTcbPrivilege") == ("SeTcbPrivilege" in privileges.held())


def test_nobody_has_a_privilege_that_is_none() -> None:
    assert not privileges.enable("SeNoSuchPrivilege")
