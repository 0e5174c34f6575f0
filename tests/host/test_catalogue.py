"""Which classes the port knows, however their names are written."""

import pytest

from csiproxy.emulator.machine import Machine
from csiproxy.host import catalogue


@pytest.mark.parametrize("name", ["MSFT_Disk", "msft_disk", "MSFT_DISK"])
def test_a_class_is_found_in_any_case_and_says_its_own_name(name):
    found = catalogue.described(name)
    assert (found.name, found.key) == ("MSFT_Disk", "ObjectId")
    assert found.properties["Size"] == "uint64"


def test_of_an_unknown_class_nothing_is_known_but_its_name():
    found = catalogue.described("MSFT_Nothing")
    assert (found.name, found.key, dict(found.properties), dict(found.methods)) == (
        "MSFT_Nothing",
        "",
        {},
        {},
    )


def test_the_emulated_node_has_every_class_that_can_be_asked_for(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        steps = set(machine.faults.steps)
    queried = {found.name for found in catalogue.known()} - {"MSFT_StorageExtendedStatus"}
    assert queried <= steps
