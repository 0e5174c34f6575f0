"""The disk group through every version of it."""

import pytest
from tests.client.conftest import MIB, names, only

from csiproxy.client import DiskIds, DiskLocation
from csiproxy.errors import FailedPrecondition, InvalidArgument, NotFound, Unimplemented, WindowsCode


@pytest.mark.parametrize("name", names("disk"))
def test_a_disk_is_found_and_partitioned_in_every_version(name, node, disk, tmp_path):
    with only(node, tmp_path, name) as client:
        location = next(found for found in client.disk.list_disk_locations() if found.disk_number == disk)
        assert location == DiskLocation(disk, adapter="1", bus="0", target="0", lun_id=location.lun_id)
        assert int(location.lun_id) > 0
        client.disk.rescan()
        client.disk.partition_disk(disk)
        with pytest.raises(FailedPrecondition, match="the disk holds the system") as refused:
            client.disk.partition_disk(0)
        assert refused.value.windows_code == WindowsCode.NOT_SUPPORTED


@pytest.mark.parametrize("name", names("disk")[1:])
def test_a_disk_is_named_and_measured_in_every_version_that_can(name, node, disk, tmp_path):
    with only(node, tmp_path, name) as client:
        ids = next(found for found in client.disk.list_disk_ids() if found.disk_number == disk)
        assert isinstance(ids, DiskIds)
        assert ids.serial_number.startswith("SERIAL")
        assert client.disk.get_disk_stats(disk) == 64 * MIB
        with pytest.raises(NotFound):
            client.disk.get_disk_stats(4711)


@pytest.mark.parametrize("name", names("disk")[2:])
def test_a_disk_is_switched_in_every_version_that_can(name, node, disk, tmp_path):
    with only(node, tmp_path, name) as client:
        client.disk.set_disk_state(disk, is_online=False)
        assert client.disk.get_disk_state(disk) is False
        client.disk.set_disk_state(disk, is_online=True)
        assert client.disk.get_disk_state(disk) is True


def test_what_an_old_version_cannot_do_is_unimplemented_and_says_what_is_served(node, tmp_path):
    with only(node, tmp_path, "disk/v1alpha1") as client:
        with pytest.raises(Unimplemented, match=r"serves disk/v1alpha1 only, without GetDiskState"):
            client.disk.get_disk_state(1)


def test_a_number_that_no_request_can_carry_is_an_invalid_argument(client):
    with pytest.raises(InvalidArgument, match="PartitionDisk does not take these values"):
        client.disk.partition_disk(-1)
