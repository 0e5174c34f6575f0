"""Each self-test of disks is content with the emulated node, and finds out one that does otherwise."""

from dataclasses import replace

import pytest

from csiproxy.doctor import disks
from csiproxy.doctor.outcome import Differs, NotTried
from csiproxy.host.cim import Instance

SELF_TESTS = (
    disks.held_back_by_policy,
    disks.offline_disk,
    disks.layout,
    disks.growth,
    disks.arrival,
    disks.refresh_of_a_raw_disk,
    disks.attributes_of_an_offline_disk,
    disks.large_fat32,
    disks.identity,
    disks.driver,
)


@pytest.mark.parametrize("self_test", SELF_TESTS)
def test_a_node_that_does_what_is_assumed_is_found_to(ground, self_test):
    assert self_test(ground)


def changed(**properties):
    """Instances with other values for some properties."""

    def change(found: list[Instance]) -> list[Instance]:
        return [replace(one, properties={**one.properties, **properties}) for one in found]

    return change


def moved(found: list[Instance]) -> list[Instance]:
    return [
        replace(one, properties={**one.properties, "Offset": one.number("Offset") + 4096}) for one in found
    ]


BENT = [
    (disks.held_back_by_policy, {"MSFT_Disk": changed(OfflineReason=4)}, "OfflineReason"),
    (disks.offline_disk, {"MSFT_Partition": lambda found: found[:1]}, "data partition"),
    (disks.layout, {"MSFT_Partition": moved}, "the offset"),
    (disks.layout, {"MSFT_Partition": changed(GptType="{x}")}, "Initialize made"),
    (disks.growth, {"Resize": lambda _: 0}, "returned 0"),
    (disks.growth, {"Resize": lambda _: 4097}, "to what fits returned: 4097"),
    (disks.growth, {"CreatePartition": lambda _: 5}, "CreatePartition"),
    (disks.arrival, {"MSFT_PartitionToVolume": lambda _: []}, "no volume came"),
    (disks.refresh_of_a_raw_disk, {"Refresh": lambda _: 0}, "Refresh returned: 0"),
    (disks.refresh_of_a_raw_disk, {"MSFT_Disk": changed(Size=256 << 20)}, "the size after it"),
    (disks.attributes_of_an_offline_disk, {"SetAttributes": lambda _: 0}, "SetAttributes returned: 0"),
    (disks.large_fat32, {"Format": lambda _: 0}, "Format returned: 0"),
    (disks.identity, {"MSFT_Disk": changed(UniqueId="else")}, "none of page 83's"),
    (disks.identity, {"MSFT_Partition": changed(IsOffline=False)}, "does not say that it is offline"),
    (disks.driver, {"MSFT_Disk": lambda found: renumbered(found)}, "the driver's number"),
]


def renumbered(found: list[Instance]) -> list[Instance]:
    """Every disk with the path of the system's disk: the wrong driver is asked."""
    system = next((one.text("Path") for one in found if one.flag("IsSystem")), None)
    seen.extend([system] if system else [])
    return changed(Path=seen[0])(found) if seen else found


seen: list[str] = []


@pytest.mark.parametrize(("self_test", "bends", "text"), BENT)
def test_a_node_that_does_something_else_is_found_out(bent, self_test, bends, text):
    seen.clear()
    with pytest.raises(Differs, match=text):
        self_test(bent(**bends))


def test_an_offline_disk_that_leads_to_its_volumes_is_found_out(bent):
    kept = []

    def remember(found):
        kept.extend(found)
        return kept[:1]

    with pytest.raises(Differs, match="still leads to"):
        disks.offline_disk(bent(MSFT_PartitionToVolume=remember))


def test_a_late_volume_is_found_out(bent):
    asked = []

    def late(found):
        asked.append(found)
        return found if len(asked) > 150 else []

    with pytest.raises(Differs, match=r"after 15\.\d seconds"):
        disks.arrival(bent(MSFT_PartitionToVolume=late))


def test_a_disk_that_the_classes_do_not_show_is_found_out(bent):
    with pytest.raises(Differs, match="does not show it"):
        disks.driver(bent(MSFT_Disk=lambda found: [one for one in found if not one.number("Number")]))


class Unable:
    """Disks that cannot be held back, and do not grow."""

    def __init__(self, disks) -> None:
        self._disks = disks

    def attach(self, size, *, held_back=False):
        if held_back:
            raise NotTried("not held back")
        return self._disks.attach(size)


def test_without_a_disk_that_is_held_back_those_that_are_offline_are_looked_at(ground, node):
    unable = replace(ground, disks=Unable(ground.disks))
    with pytest.raises(NotTried, match="san policy"):
        disks.held_back_by_policy(unable)
    number = node.attach(offline=True)
    assert "is offline with OfflineReason 1" in disks.held_back_by_policy(unable)
    node.machine.disks.detach(number)
