"""What the script demands of what it sees; the script itself is played in test_node_sim.py."""

import pytest

from csiproxy.cli.demo.player import CheckFailed
from csiproxy.cli.testing.story import CYCLES, _nothing, _statistics, _whole
from csiproxy.testing.node_sim.manifests import Mount
from csiproxy.testing.processes import Report

MOUNT = Mount("c", "claim", r"C:\data", read_only=False)


def test_statistics_have_to_fit_what_was_written() -> None:
    assert "used" in _statistics(100 << 20, CYCLES * 1024, 100 << 20)
    for total, used in ((50 << 20, 1 << 20), (100 << 20, 0)):
        with pytest.raises(CheckFailed):
            _statistics(total, used, 100 << 20)


def test_no_record_may_be_missing() -> None:
    assert "3 records, every byte" in _whole({MOUNT: Report(3, "", 3, "ab" * 32)})
    with pytest.raises(CheckFailed):
        _whole({MOUNT: Report(3, "", 2, "ab" * 32)})


def test_nothing_may_be_left() -> None:
    assert _nothing([])
    with pytest.raises(CheckFailed, match="disk 1"):
        _nothing(["disk 1 of node-1"])
