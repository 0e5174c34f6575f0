"""Old versions of the disk group name disks by text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.calls import METHODS, answer, convert
from tests.api.strategies import UNHURRIED, messages

from csiproxy.api.disk import v1_pb2 as disk_v1
from csiproxy.api.versions import contract
from csiproxy.errors import InvalidArgument

OLD = ["v1alpha1", "v1beta1", "v1beta2"]


def test_a_refusal_names_the_field_as_the_clients_version_spells_it():
    old_disk = contract("disk/v1beta2").methods()["/v1beta2.Disk/DiskStats"]
    with pytest.raises(InvalidArgument, match=r'^diskID "x" is not a disk number'):
        old_disk.read_request(old_disk.request(diskID="x").SerializeToString())


@pytest.mark.parametrize("version", OLD)
def test_old_disk_requests_carry_their_number_as_text(version):
    for path, method in contract(f"disk/{version}").methods().items():
        if "diskID" in method.request.DESCRIPTOR.fields_by_name:
            assert convert(path, method.request(diskID="7")).disk_number == 7


@UNHURRIED
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_attach_state_of_old_versions_is_the_disk_state(number, online):
    method = METHODS["/v1beta2.Disk/SetAttachState"]
    arrived = convert("/v1beta2.Disk/SetAttachState", method.request(diskID=str(number), isOnline=online))
    assert arrived == disk_v1.SetDiskStateRequest(disk_number=number, is_online=online)


@pytest.mark.parametrize("version", OLD)
@UNHURRIED
@given(reply=messages(disk_v1.ListDiskLocationsResponse.DESCRIPTOR))
def test_old_disk_locations_are_keyed_by_text(version, reply):
    old = answer(f"/{version}.Disk/ListDiskLocations", reply)
    assert set(old.disk_locations) == {str(number) for number in reply.disk_locations}
    for number, location in reply.disk_locations.items():
        assert old.disk_locations[str(number)].SerializeToString() == location.SerializeToString()


@pytest.mark.parametrize("version", OLD[1:])
@UNHURRIED
@given(reply=messages(disk_v1.ListDiskIDsResponse.DESCRIPTOR))
def test_old_disk_ids_are_maps_that_have_both_keys(version, reply):
    old = answer(f"/{version}.Disk/ListDiskIDs", reply)
    found = {int(number): dict(ids.identifiers) for number, ids in old.diskIDs.items()}
    assert found == {
        number: {"page83": ids.page83, "serialNumber": ids.serial_number}
        for number, ids in reply.diskIDs.items()
    }


def test_a_caller_hears_an_identifier_that_an_old_server_leaves_out_as_none():
    method = METHODS["/v1beta1.Disk/ListDiskIDs"]
    old = method.reply()
    old.diskIDs["3"].identifiers["serialNumber"] = "S"
    heard = method.read_reply(old.SerializeToString())
    assert (heard.diskIDs[3].page83, heard.diskIDs[3].serial_number) == ("", "S")
