"""Privileges of this process are switched on, listed and given up."""

import subprocess
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


def in_a_process(program: str) -> str:
    """What a program of its own says: what it gives up, it does not get back."""
    whole = f"from csiproxy import hardening\nfrom csiproxy.windows import privileges\n{program}"
    return subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True).stdout


def test_what_is_given_up_is_gone_for_good_and_the_rest_is_there() -> None:
    said = in_a_process(
        """
before = privileges.held()
done = hardening.harden()
after = privileges.held()
assert set(done.given_up) == before.keys() - privileges.NEEDED, done
assert set(done.kept) == set(after) == before.keys() & privileges.NEEDED, after
assert done.given_up, "there was nothing to give up"
assert not any(privileges.enable(name) for name in done.given_up)
assert privileges.keep_only(privileges.NEEDED) == []
print(sorted(done.given_up), sorted(done.kept))
"""
    )
    assert "SeDebugPrivilege" in said
    assert "SeChangeNotifyPrivilege" in said


def test_every_privilege_that_is_kept_is_one_that_windows_knows() -> None:
    said = in_a_process(
        """
import ctypes
from ctypes import byref
for name in sorted(privileges.NEEDED):
    luid = privileges._Luid()
    if not privileges._ADVAPI32.LookupPrivilegeValueW(None, name, byref(luid)):
        print(name, ctypes.get_last_error())
"""
    )
    assert said in ("", "SeCreateSymbolicLinkPrivilege 1313\n")  # Wine knows none for links


def test_programs_that_are_started_afterwards_do_not_have_them_either() -> None:
    said = in_a_process(
        """
import subprocess, sys
hardening.harden()
program = "from csiproxy.windows import privileges; print(sorted(privileges.held()))"
print(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout)
"""
    )
    assert "SeChangeNotifyPrivilege" in said
    assert "SeDebugPrivilege" not in said
