"""What both stores of volumes say in the same way."""

import pytest

from csiproxy.emulator.volume import Condition, Content, unusable, volume_name
from csiproxy.errors import WindowsCode

NAME = volume_name("11111111-2222-4333-8444-555555555555")


def test_a_volume_is_named_after_its_guid():
    assert NAME == r"\\?\Volume{11111111-2222-4333-8444-555555555555}" + "\\"


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        (Content(Condition.RAW), WindowsCode.UNRECOGNIZED_VOLUME, "it is not formatted"),
        (Content(Condition.FOREIGN, problem="ext4"), WindowsCode.UNRECOGNIZED_VOLUME, "ext4"),
        (Content(Condition.DAMAGED, problem="torn"), WindowsCode.DISK_CORRUPT, "torn"),
    ],
)
def test_what_has_no_files_to_reach_says_why(content, code, text):
    error = unusable(NAME, content)
    assert (error.windows_code, error.detail) == (code, f"{NAME}: {text}")
