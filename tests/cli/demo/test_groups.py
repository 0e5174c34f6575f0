import re

import pytest

from csiproxy.cli.demo.dialect import Expected
from csiproxy.cli.demo.groups import Groups
from csiproxy.cli.demo.node import Node
from csiproxy.cli.demo.player import Player, StepFailed
from csiproxy.cli.demo.screen import Screen

DISK = Expected(serial="SERIAL-1", lun=3)


@pytest.fixture
def dialect(node: Node) -> Groups:
    return Groups(Player(Screen(plain=True)), node)


def test_a_disk_is_found_by_what_was_attached(dialect: Groups, capsys: pytest.CaptureFixture[str]) -> None:
    dialect.rescan()
    assert dialect.find(DISK) == 1
    rpcs = re.findall(r"^OK      \S+ (\w+): ", capsys.readouterr().out, re.MULTILINE)
    assert rpcs == ["Rescan", "ListDiskIDs", "ListDiskLocations"]


@pytest.mark.parametrize(
    ("expected", "problem"),
    [
        (Expected("OTHER", 3), "ListDiskIDs: 0 disks have the serial number OTHER"),
        (Expected("SERIAL-1", 4), "ListDiskLocations: the LUN is another one"),
    ],
)
def test_another_disk_than_expected_ends_the_play(expected: Expected, problem: str, dialect: Groups) -> None:
    with pytest.raises(StepFailed, match=problem):
        dialect.find(expected)


def test_another_number_of_volumes_than_expected_ends_the_play(dialect: Groups) -> None:
    with pytest.raises(StepFailed, match="1"):
        dialect.partition(1, volumes=2)
    assert dialect.partition(1, volumes=1).startswith("\\\\?\\Volume{")


def test_a_refused_call_ends_the_play(dialect: Groups) -> None:
    with pytest.raises(StepFailed, match=r"FormatVolume|IsVolumeFormatted"):
        dialect.format("no volume")
