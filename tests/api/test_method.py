"""What a client sends reaches the hub, and what the hub answers reaches the client, in every version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.calls import METHODS, convert, outcome
from tests.api.strategies import BRIEF, messages

from csiproxy.api.method import UnreadableMessage, operation_name
from csiproxy.errors import InvalidArgument

EVERY = pytest.mark.parametrize("path", METHODS)
DISK_NUMBERS = st.integers(0, 2**32 - 1)
FIXED = {
    "diskID": DISK_NUMBERS.map(str),
    "disk_id": DISK_NUMBERS.map(str),
    "target_portal_port": st.integers(0, 65535).map(str),
    "auth_type": st.sampled_from([0, 1]),
}


def requests(method):
    """Requests that an old version's client may send; those the hub cannot express are left out."""
    names = set(method.request.DESCRIPTOR.fields_by_name) if method.to_hub else set()
    converted = {name: FIXED[name] for name in names & FIXED.keys()}
    found = messages(method.request.DESCRIPTOR, **converted)
    # An absent disk number is an empty text, which is none.
    texts = [name for name in ("diskID", "disk_id") if name in converted]
    return found.filter(lambda message: all(getattr(message, name) for name in texts))


@EVERY
@BRIEF
@given(data=st.data())
def test_every_request_reaches_the_hub_as_the_hubs_message(path, data):
    method = METHODS[path]
    request = data.draw(requests(method))
    arrived = convert(path, request)
    assert type(arrived) is method.hub_request
    if method.to_hub is None:
        assert arrived.SerializeToString(deterministic=True) == request.SerializeToString(deterministic=True)


@EVERY
@BRIEF
@given(data=st.data())
def test_every_reply_of_the_hub_is_readable_in_the_old_version(path, data):
    method = METHODS[path]
    reply = data.draw(messages(method.hub_reply.DESCRIPTOR))
    written = method.write_reply(reply)
    read = method.reply.FromString(written)
    assert read.SerializeToString(deterministic=True) == normal(method, written)
    if method.from_hub is None:
        for field, value in read.ListFields():
            theirs = method.hub_reply.DESCRIPTOR.fields_by_number[field.number]
            if field.message_type is None:
                assert value == getattr(reply, theirs.name)


def normal(method, data):
    """Return a reply's bytes with maps in a fixed order; nothing may have been unknown to its reader."""
    message = method.reply()
    message.ParseFromString(data)
    kept = message.SerializeToString(deterministic=True)
    message.DiscardUnknownFields()
    assert message.SerializeToString(deterministic=True) == kept
    return kept


@EVERY
@BRIEF
@given(data=st.data())
def test_a_field_of_the_hub_is_not_obeyed_from_a_client_whose_version_lacks_it(path, data):
    method = METHODS[path]
    own = method.request.DESCRIPTOR.fields_by_number
    request = data.draw(requests(method))
    smuggled = data.draw(
        messages(method.hub_request.DESCRIPTOR).map(lambda message: only(message, lambda n: n not in own))
    )
    plain = convert(path, request)
    with_more = method.read_request(request.SerializeToString() + smuggled.SerializeToString())
    assert with_more == plain


def only(message, wanted):
    for field, _ in message.ListFields():
        if not wanted(field.number):
            message.ClearField(field.name)
    return message


@EVERY
@BRIEF
@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_by_name(path, data):
    method = METHODS[path]
    found = outcome(lambda: method.read_request(data))
    if isinstance(found, UnreadableMessage):
        assert str(found) == f"the request is not a readable {method.request.DESCRIPTOR.full_name} message"
    elif isinstance(found, InvalidArgument):
        assert method.to_hub is not None
        assert str(found)[0].islower()
    else:
        assert type(found) is method.hub_request


def test_text_that_is_not_utf_8_is_unreadable():
    for path in ("/v1.Filesystem/Mkdir", "/v1alpha1.Filesystem/Mkdir"):
        with pytest.raises(UnreadableMessage):
            METHODS[path].read_request(b"\n\x02\xff\xfe")


@pytest.mark.parametrize(
    ("rpc", "operation"),
    [
        ("Mkdir", "mkdir"),
        ("ListDiskIDs", "list_disk_ids"),
        ("GetBIOSSerialNumber", "get_bios_serial_number"),
        ("GetVolumeIDFromTargetPath", "get_volume_id_from_target_path"),
        ("GetDiskNumberFromVolumeID", "get_disk_number_from_volume_id"),
        ("MountISCSILun", "mount_iscsi_lun"),
        ("UnmountSMBShare", "unmount_smb_share"),
        ("NewSmbGlobalMapping", "new_smb_global_mapping"),
        ("SetMutualChapSecret", "set_mutual_chap_secret"),
    ],
)
def test_operations_are_named_after_rpcs_in_snake_case(rpc, operation):
    assert operation_name(rpc) == operation


ONE_WAY = {"/csiproxy.v1alpha1.CSIProxyService/ListDiskVolumeMappings"}
"""Replies of old versions that leave something out; see tests/api/conversions."""


@EVERY
@BRIEF
@given(data=st.data())
def test_what_a_caller_writes_for_a_version_is_what_its_server_reads(path, data):
    method = METHODS[path]
    wanted = convert(path, data.draw(requests(method)))
    written = outcome(lambda: method.write_request(wanted))
    if not isinstance(written, InvalidArgument):
        arrived = method.read_request(written)
        assert arrived.SerializeToString(deterministic=True) == wanted.SerializeToString(deterministic=True)


@EVERY
@BRIEF
@given(data=st.data())
def test_what_a_server_writes_for_a_version_is_what_its_caller_hears(path, data):
    method = METHODS[path]
    reply = data.draw(messages(method.hub_reply.DESCRIPTOR))
    if path not in ONE_WAY:
        heard = method.read_reply(method.write_reply(reply))
        assert heard.SerializeToString(deterministic=True) == reply.SerializeToString(deterministic=True)


def test_a_reply_that_is_no_message_is_unreadable():
    with pytest.raises(UnreadableMessage, match=r"reply is not a readable v1beta2.ListDiskIDsResponse"):
        METHODS["/v1beta2.Disk/ListDiskIDs"].read_reply(b"\xff")
    with pytest.raises(UnreadableMessage):
        METHODS["/v1.Disk/ListDiskIDs"].read_reply(b"\xff")
