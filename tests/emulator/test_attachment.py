"""What Windows is told of a disk, and that all of it is kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csiproxy.emulator import attachment
from csiproxy.emulator.attachment import Attachment, BusType, OfflineReason, Place
from csiproxy.emulator.state import State
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

identifiers = st.builds(
    StorageIdentifier,
    st.sampled_from(CodeSet),
    st.sampled_from(IdentifierType),
    st.sampled_from(Association),
    st.binary(max_size=64),
)
texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=64)
attachments = st.builds(
    Attachment,
    number=st.integers(0, 65535),
    image=texts,
    vendor=texts,
    product=texts,
    serial=texts,
    identifiers=st.lists(identifiers, max_size=4).map(tuple),
    bus=st.sampled_from(BusType),
    place=st.builds(Place, *[st.integers(0, 16383)] * 4),
    medium_read_only=st.booleans(),
    read_only=st.booleans(),
    offline=st.booleans(),
    offline_reason=st.sampled_from(OfflineReason),
)


def disk(*found: StorageIdentifier, bus: BusType = BusType.SAS) -> Attachment:
    return Attachment(1, "/disk.img", "Msft", "Virtual Disk", "1", found, bus, Place(3, 2, 1, 7))


@given(record=attachments)
@settings(max_examples=50, deadline=None)
def test_everything_of_a_disk_is_kept(record):
    state = State(":memory:", attachment.SCHEMA)
    with state.transaction() as db:
        attachment.save(db, record)
        attachment.save(db, record)
        assert attachment.load(db) == [record]
        attachment.save_partition_offline(db, record.number, 1 << 24, offline=True)
        assert attachment.load_offline_partitions(db) == [(record.number, 1 << 24)]
        attachment.delete(db, record.number)
        assert attachment.load(db) == []
        assert attachment.load_offline_partitions(db) == []
    state.close()


@given(record=attachments)
def test_a_path_is_a_device_path_whatever_the_vendor_says(record):
    parts = record.path.split("#")
    assert (parts[0], parts[-1]) == ("\\\\?\\scsi", attachment.DISK_INTERFACE)
    assert len(parts) == 4
    assert all(char.isalnum() or char in "_&" for char in parts[1] + parts[2])
    assert record.path == record.path.lower()


def test_the_best_device_identifier_is_the_unique_id():
    naa = StorageIdentifier(CodeSet.BINARY, IdentifierType.FCPH_NAME, Association.DEVICE, b"\x60\xab")
    vendor = StorageIdentifier(CodeSet.ASCII, IdentifierType.VENDOR_ID, Association.DEVICE, b"Msft  1 \0")
    port = StorageIdentifier(CodeSet.ASCII, IdentifierType.SCSI_NAME_STRING, Association.PORT, b"iqn.x")
    assert disk(vendor, port, naa).unique_id == ("60AB", 3)
    assert disk(vendor, port).unique_id == ("Msft  1", 1)
    assert disk(port).unique_id == ("DISK&VEN_MSFT&PROD_VIRTUAL_DISK#3&2&0&010007", 0)


@pytest.mark.parametrize(
    ("bus", "location"),
    [
        (BusType.SAS, "PCI Slot 3 : Bus 2 : Device 3 : Function 0 : Adapter 3 : Port 0 : Target 1 : LUN 7"),
        (BusType.NVME, "Integrated : Bus 2 : Device 3 : Function 0 : Adapter 3"),
        (BusType.ATA, "PCI Slot 0 : Adapter 3 : Channel 1 : Device 7"),
    ],
)
def test_a_location_has_the_form_of_its_bus(bus, location):
    assert disk(bus=bus).location == location
