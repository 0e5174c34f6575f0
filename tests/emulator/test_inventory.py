"""What an operator is shown crosses the node's socket unchanged."""

import pytest

from csiproxy.emulator import wire
from csiproxy.emulator.inventory import DiskReport, ServiceReport, VolumeReport
from csiproxy.emulator.wire import Reply, WireError

VOLUME = VolumeReport("\\\\?\\Volume{x}\\", ("C:\\a",), "/images/x", "")
DISK = DiskReport(1, "/x.img", 1 << 40, True, "", "PCI Slot 1", "serial", "GPT", False, True, (VOLUME,))


@pytest.mark.parametrize("report", [VOLUME, DISK, ServiceReport("a", "A", "Auto", "Running")])
def test_a_report_arrives_as_it_was(report):
    assert wire.decode(wire.encode(Reply(report))) == Reply(report)


def test_a_report_with_something_else_in_it_does_not_arrive():
    text = wire.encode(Reply(VOLUME)).replace(b'"/images/x"', b"7")
    with pytest.raises(WireError):
        wire.decode(text)
