"""Who can change a folder: read from security descriptors as Windows has them."""

import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import ntsecuritycon
import win32security

from csiproxy.windows import folder_guard

pytestmark = pytest.mark.windows

RIGHTS = ntsecuritycon.FILE_ADD_FILE | ntsecuritycon.DELETE
USERS, EVERYONE, SOMEBODY = "S-1-5-32-545", "S-1-1-0", "S-1-5-21-1-2-3-1001"
WINDOWS_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"


@pytest.mark.parametrize(
    ("sddl", "found"),
    [
        ("O:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)", set()),
        # Program Files
        (f"O:{WINDOWS_INSTALLER}D:PAI(A;;FA;;;SY)(A;OICI;0x1200a9;;;BU)(A;;FA;;;{WINDOWS_INSTALLER})", set()),
        # a folder that an administrator made in C:\
        (
            "O:BAD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;ID;0x1301bf;;;AU)(A;OICIIOID;SDGXGWGR;;;AU)",
            {"S-1-5-11"},
        ),
        ("O:BAD:(A;OICIIO;FA;;;WD)(A;;FA;;;BA)", set()),  # for things in it, not for itself
        ("O:BAD:(A;;DCLCRPCR;;;BU)(A;;FA;;;BA)", {USERS}),
        (f"O:{SOMEBODY}D:P(A;;FA;;;SY)", {SOMEBODY}),
        ("O:BA", {EVERYONE}),  # no list at all: everything is allowed
        ("O:BAD:(D;;FA;;;BU)(A;;FA;;;WD)", {EVERYONE}),
    ],
)
def test_everybody_who_can_change_it_is_found(sddl: str, found: set[str]) -> None:
    descriptor = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(sddl, 1)
    assert set(folder_guard.writers(descriptor, RIGHTS)) == found


def test_a_folder_of_this_account_alone_is_safe(tmp_path) -> None:
    assert folder_guard.problem_with(str(tmp_path)) == ""


def test_a_folder_that_is_not_there_is_no_safe_one(tmp_path) -> None:
    with pytest.raises(OSError):
        folder_guard.problem_with(str(tmp_path / "missing"))
