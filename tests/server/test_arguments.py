"""What the audit trail shows of a request: everything but secrets, and never without end."""

import json

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.api.csi_proxy_service import v1alpha1_pb2 as service
from csiproxy.api.disk import v1alpha1_pb2 as old_disk
from csiproxy.api.iscsi import v1alpha2_pb2 as iscsi
from csiproxy.api.versions import CONTRACTS
from csiproxy.api.volume import v1_pb2 as volume
from csiproxy.server.arguments import DEEPEST, MOST_ENTRIES, renderer
from csiproxy.server.audit import LONGEST_TEXT
from csiproxy.server.binder import descriptor_of


def show(message):
    return renderer(descriptor_of(type(message)))(message)


def test_fields_are_shown_under_the_callers_own_names_also_when_unset() -> None:
    assert show(old_disk.PartitionDiskRequest()) == {"diskID": ""}
    assert show(volume.ListVolumesOnDiskRequest(partition_number=2)) == {
        "disk_number": 0,
        "partition_number": 2,
    }


def test_wide_numbers_are_texts_so_that_no_reader_rounds_them() -> None:
    assert show(volume.ResizeVolumeRequest(volume_id="v", size_bytes=2**62 + 1)) == {
        "volume_id": "v",
        "size_bytes": str(2**62 + 1),
    }


def test_enums_are_names_and_unknown_ones_numbers() -> None:
    assert show(service.FormatVolumeRequest(type=1))["type"] == "FAT"
    assert show(service.FormatVolumeRequest(type=9))["type"] == 9


def test_unset_messages_are_left_out_and_set_ones_shown() -> None:
    assert show(iscsi.AddTargetPortalRequest()) == {}
    portal = iscsi.TargetPortal(target_address="10.0.0.1")
    assert show(iscsi.AddTargetPortalRequest(target_portal=portal)) == {
        "target_portal": {"target_address": "10.0.0.1", "target_port": 0}
    }


def test_every_secret_of_every_version_is_hidden() -> None:
    hidden = set()
    for contract in CONTRACTS:
        for method in contract.methods().values():
            request = method.request()
            for field in method.request.DESCRIPTOR.fields:
                if field.type == field.TYPE_STRING and not field.is_repeated:
                    setattr(request, field.name, f"value of {field.name}")
            shown = show(request)
            for name, value in shown.items():
                if "password" in name.lower() or "secret" in name.lower():
                    hidden.add(name)
                    assert value == "***", (contract.name, method.rpc, name)
    assert hidden == {
        "password",
        "chap_secret",
        "MutualChapSecret",
        "discovery_chap_secret",
        "session_chap_secret",
        "initiator_chap_secret",
    }


def test_a_long_text_is_cut_and_says_so() -> None:
    assert show(old_disk.PartitionDiskRequest(diskID="x" * LONGEST_TEXT)) == {"diskID": "x" * LONGEST_TEXT}
    shown = show(old_disk.PartitionDiskRequest(diskID="x" * (LONGEST_TEXT + 7)))["diskID"]
    assert shown == "x" * LONGEST_TEXT + "…[+7 characters]"


def test_long_lists_and_maps_are_cut_and_say_so() -> None:
    many = service.ListDiskLocationsResponse()
    for number in range(MOST_ENTRIES + 3):
        many.disk_locations[f"{number:03}"].Bus = "b"
    shown = show(many)["disk_locations"]
    assert len(shown) == MOST_ENTRIES + 1
    assert shown["…"] == "[+3 entries]"
    assert shown["000"]["Bus"] == "b"
    iqns = iscsi.DiscoverTargetPortalResponse(iqns=["a"] * (MOST_ENTRIES + 3))
    assert show(iqns)["iqns"] == ["a"] * MOST_ENTRIES + ["…[+3 entries]"]


def _unlike_the_api():
    """A message with what the API does not have yet: bytes, and itself inside."""
    file = descriptor_pb2.FileDescriptorProto(name="odd.proto", package="odd", syntax="proto3")
    odd = file.message_type.add(name="Odd")
    odd.field.add(name="raw", number=1, label=1, type=12)
    odd.field.add(name="inner", number=2, label=1, type=11, type_name=".odd.Odd")
    odd.field.add(name="ratio", number=3, label=1, type=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("odd.Odd"))


def test_bytes_are_base64_and_cut() -> None:
    odd = _unlike_the_api()
    assert show(odd(raw=b"\xff\x00", ratio=0.5)) == {"raw": "/wA=", "ratio": 0.5}
    assert show(odd(raw=bytes(LONGEST_TEXT + 5)))["raw"].endswith("…[+5 bytes]")


def test_a_message_inside_itself_ends_somewhere() -> None:
    message = innermost = _unlike_the_api()()
    for _ in range(DEEPEST + 4):
        innermost = innermost.inner
        innermost.ratio = 1.0
    shown, depth = show(message), 0
    while isinstance(shown, dict):
        shown, depth = shown["inner"], depth + 1
    assert (shown, depth) == ("…", DEEPEST)


@given(st.text(), st.integers(-(2**31), 2**31 - 1))
def test_whatever_a_request_holds_can_be_written_as_json(text: str, number: int) -> None:
    request = service.MountISCSILunRequest(
        node_iqn=text.encode("utf-8", "replace").decode(), auth_type=number, session_chap_secret="hush"
    )
    assert "hush" not in json.dumps(show(request))
