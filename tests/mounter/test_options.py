"""Mount options."""

import pytest

from csiproxy.errors import InvalidArgument
from csiproxy.mounter.options import BindOptions, bind_options, refuse_unkept, shown


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], None),
        (["ro", "noatime"], None),
        (["bind"], BindOptions(("bind",), ("bind", "remount"))),
        (["ro", "bind"], BindOptions(("bind",), ("bind", "remount", "ro"))),
        (["bind", "remount", "_netdev"], BindOptions(("bind", "_netdev"), ("bind", "remount"))),
    ],
)
def test_a_bind_mount_is_told_by_its_option_and_has_two_halves(options, found):
    assert bind_options(options) == found


def test_options_that_say_nothing_are_taken():
    refuse_unkept(["bind", "rw", "_netdev", "defaults", "remount"])


@pytest.mark.parametrize(("option", "why"), [("ro", "cannot be read-only"), ("vers=3.0", "no mount options")])
def test_an_option_that_cannot_be_kept_to_is_refused_by_name_with_the_reason(option, why):
    with pytest.raises(InvalidArgument, match=f"'{option}' cannot be kept to: .*{why}") as refused:
        refuse_unkept(["bind", option])
    assert refused.value.windows_code == 50


def test_sensitive_options_are_shown_as_nothing_but_their_number():
    assert shown(["a", "b"], ["password=x", "y"]) == "a,b,<masked>,<masked>"
    assert shown([]) == ""
