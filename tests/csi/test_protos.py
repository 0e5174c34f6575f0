"""The messages of CSI are those of the specification on the wire, and what is secret in them is marked."""

import json
from pathlib import Path

import pytest
from tests.api.wire_rule import NAMES

from csiproxy.api.redaction import is_secret, redacted
from csiproxy.csi import pluginregistration_pb2, v1_pb2

TABLE = json.loads((Path(__file__).parent / "wire_table.json").read_text())
FILE = v1_pb2.DESCRIPTOR


def type_text(field):
    inside = field.message_type
    if inside and inside.GetOptions().map_entry:
        key, value = inside.fields_by_name["key"], inside.fields_by_name["value"]
        return f"map<{type_text(key)}, {type_text(value)}>"
    named = inside or field.enum_type
    text = named.full_name.removeprefix("csi.v1.") if named else NAMES[field.type]
    return f"repeated {text}" if field.is_repeated else text


def facts_of(message):
    facts = {"fields": [field_facts(field) for field in message.fields]}
    inner = {m.name: facts_of(m) for m in message.nested_types if not m.GetOptions().map_entry}
    enums = {enum.name: {v.name: v.number for v in enum.values} for enum in message.enum_types}
    return facts | ({"messages": inner} if inner else {}) | ({"enums": enums} if enums else {})


def field_facts(field):
    extras = {}
    if field.containing_oneof:
        extras["oneof"] = field.containing_oneof.name
    if is_secret(field):
        extras["csi_secret"] = True
    return [field.number, field.name, type_text(field), *([extras] if extras else [])]


def without_stage(facts):
    """Drop what the table says about a field's stage; it is not on the wire."""
    for field in facts["fields"]:
        if len(field) == 4:
            field[3].pop("alpha", None)
            if not field[3]:
                field.pop()
    for inner in facts.get("messages", {}).values():
        without_stage(inner)
    return facts


@pytest.mark.parametrize("name", TABLE["messages"])
def test_a_message_is_exactly_what_the_wire_table_says(name):
    assert facts_of(FILE.message_types_by_name[name]) == without_stage(TABLE["messages"][name])


def test_the_services_are_those_of_the_wire_table():
    found = {
        service.name: {
            rpc.name: [rpc.input_type.name, rpc.output_type.name, "unary"] for rpc in service.methods
        }
        for service in FILE.services_by_name.values()
    }
    assert found == TABLE["services"]
    assert FILE.package == TABLE["package"]
    assert set(FILE.message_types_by_name) == set(TABLE["messages"])


def test_secrets_do_not_show():
    request = v1_pb2.NodeStageVolumeRequest(volume_id="v", secrets={"password": "hunter2"})
    assert "hunter2" not in str(redacted(request))


def test_the_registration_service_is_kubelets():
    (service,) = pluginregistration_pb2.DESCRIPTOR.services_by_name.values()
    assert service.full_name == "pluginregistration.Registration"
    assert [rpc.name for rpc in service.methods] == ["GetInfo", "NotifyRegistrationStatus"]
    info = pluginregistration_pb2.PluginInfo(
        type="CSIPlugin", name="n", endpoint="e", supported_versions=["1.0.0"]
    )
    assert info.SerializeToString() == b"\n\tCSIPlugin\x12\x01n\x1a\x01e\x22\x051.0.0"
    status = pluginregistration_pb2.RegistrationStatus(plugin_registered=True, error="e")
    assert status.SerializeToString() == b"\x08\x01\x12\x01e"
