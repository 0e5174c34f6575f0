"""A secret leaves no message that is shown."""

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToJson
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from tests.api.strategies import UNHURRIED, messages

from csiproxy.api.iscsi import v1alpha2_pb2
from csiproxy.api.redaction import HIDDEN, holds_secrets, is_secret, redacted
from csiproxy.api.smb import v1_pb2
from csiproxy.api.versions import CONTRACTS

REQUESTS = [method.request for found in CONTRACTS for method in found.methods().values()]
SECRET = [request for request in REQUESTS if holds_secrets(request.DESCRIPTOR)]


def test_the_requests_that_hold_secrets_are_known():
    names = {request.DESCRIPTOR.name for request in SECRET}
    assert names == {
        "NewSmbGlobalMappingRequest",
        "ConnectTargetRequest",
        "SetMutualChapSecretRequest",
        "MountSMBShareRequest",
        "MountISCSILunRequest",
    }


@pytest.mark.parametrize("request_class", SECRET, ids=lambda found: found.DESCRIPTOR.full_name)
@UNHURRIED
@given(data=st.data())
def test_a_set_secret_becomes_stars_and_all_else_stays(request_class, data):
    message = data.draw(messages(request_class.DESCRIPTOR))
    before = message.SerializeToString()
    shown = redacted(message)
    assert message.SerializeToString() == before
    for field in request_class.DESCRIPTOR.fields:
        value, original = getattr(shown, field.name), getattr(message, field.name)
        assert value == ((HIDDEN if original else "") if is_secret(field) else original)


def test_the_json_of_a_redacted_message_has_its_own_names_and_no_secret():
    message = v1_pb2.NewSmbGlobalMappingRequest(remote_path="\\\\s\\x", username="u", password="hunter2")
    text = MessageToJson(redacted(message), preserving_proto_field_name=True)
    assert '"remote_path"' in text
    assert "hunter2" not in text
    assert HIDDEN in text


def test_a_message_that_cannot_hold_a_secret_is_not_copied():
    message = v1alpha2_pb2.GetTargetDisksRequest(iqn="iqn.x")
    assert redacted(message) is message


@pytest.fixture
def vault():
    """A message with secrets in every place that the API does not have yet."""
    file = FileDescriptorProto(name="vault.proto", package="vault", syntax="proto3")
    key = file.message_type.add(name="Key")
    vault = file.message_type.add(name="Vault")
    entry = vault.nested_type.add(name="ByNameEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=FieldDescriptorProto.TYPE_STRING, label=1)
    entry.field.add(
        name="value", number=2, type=FieldDescriptorProto.TYPE_MESSAGE, label=1, type_name=".vault.Key"
    )
    for number, (name, kind, label) in enumerate(
        [("text", "STRING", 1), ("raw", "BYTES", 1), ("texts", "STRING", 3), ("pin", "UINT32", 1)], start=1
    ):
        field = key.field.add(
            name=name, number=number, label=label, type=getattr(FieldDescriptorProto, f"TYPE_{kind}")
        )
        field.options.debug_redact = True
    key.field.add(name="label", number=9, type=FieldDescriptorProto.TYPE_STRING, label=1)
    for number, (name, kind, label) in enumerate(
        [("one", "Key", 1), ("many", "Key", 3), ("by_name", "Vault.ByNameEntry", 3)], start=1
    ):
        vault.field.add(
            name=name,
            number=number,
            label=label,
            type=FieldDescriptorProto.TYPE_MESSAGE,
            type_name=f".vault.{kind}",
        )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("vault.Vault"))


def test_secrets_are_found_at_any_depth_and_of_any_type(vault):
    key = {"text": "s", "raw": b"s", "texts": ["s", "s"], "pin": 7, "label": "front door"}
    shown = redacted(vault(one=key, many=[key, key], by_name={"a": key}))
    for found in (shown.one, *shown.many, shown.by_name["a"]):
        assert (found.text, found.raw, list(found.texts), found.pin, found.label) == (
            HIDDEN,
            b"",
            [],
            0,
            "front door",
        )
