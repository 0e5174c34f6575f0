"""Old versions of the volume group name disks by text and know no partitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.calls import METHODS, answer, convert
from tests.api.strategies import UNHURRIED

from csiproxy.api.volume import v2alpha1_pb2 as volume_v2alpha1
from csiproxy.errors import InvalidArgument


@UNHURRIED
@given(st.integers(0, 2**32 - 1))
def test_a_disk_number_widens_to_int64_in_old_replies(number):
    reply = volume_v2alpha1.GetDiskNumberFromVolumeIDResponse(disk_number=number)
    assert answer("/v1beta1.Volume/GetVolumeDiskNumber", reply).diskNumber == number


@UNHURRIED
@given(st.integers(0, 2**32 - 1))
def test_old_clients_list_the_volumes_of_every_partition(number):
    path = "/v1alpha1.Volume/ListVolumesOnDisk"
    smuggled = volume_v2alpha1.ListVolumesOnDiskRequest(partition_number=3).SerializeToString()
    data = METHODS[path].request(disk_id=str(number)).SerializeToString() + smuggled
    arrived = METHODS[path].read_request(data)
    assert (arrived.disk_number, arrived.partition_number) == (number, 0)


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1", "v1beta2"])
@pytest.mark.parametrize("text", ["", "\\\\.\\PHYSICALDRIVE1", "4294967296"])
def test_a_text_that_is_no_disk_number_is_refused_under_its_own_name(version, text):
    path = f"/{version}.Volume/ListVolumesOnDisk"
    with pytest.raises(InvalidArgument, match=r'^disk_id ".*" is not a disk number'):
        convert(path, METHODS[path].request(disk_id=text))


def test_a_caller_cannot_ask_an_old_server_about_one_partition():
    method = METHODS["/v1beta1.Volume/ListVolumesOnDisk"]
    with pytest.raises(InvalidArgument, match="cannot name a partition"):
        method.write_request(method.hub_request(disk_number=1, partition_number=2))
