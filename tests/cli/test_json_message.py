import contextlib
import json

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.api import versions
from csiproxy.cli.json_message import (
    MAX_REQUEST,
    RequestError,
    describe_fields,
    descriptor_of,
    plain,
    read_request,
)


def request_of(contract: str, rpc: str) -> type[Message]:
    found = versions.contract(contract)
    return found.methods()[f"/{found.service}/{rpc}"].request


def reply_of(contract: str, rpc: str) -> type[Message]:
    found = versions.contract(contract)
    return found.methods()[f"/{found.service}/{rpc}"].reply


ALL = [
    pytest.param(method.request, id=f"{contract.name} {method.rpc}")
    for contract in versions.CONTRACTS
    for method in contract.methods().values()
]
SET_DISK_STATE = request_of("disk/v1", "SetDiskState")
NEW_MAPPING = request_of("smb/v1", "NewSmbGlobalMapping")


@pytest.mark.parametrize("kind", ALL)
def test_what_a_request_is_shown_as_can_be_sent_as_it_is(kind: type[Message]) -> None:
    shown = plain(kind())
    assert set(shown) == {field.name for field in descriptor_of(kind).fields}
    assert plain(read_request(json.dumps(shown), kind)) == shown


def test_fields_have_the_names_of_the_version_that_is_called() -> None:
    assert read_request('{"diskID": "3"}', request_of("disk/v1beta1", "DiskStats")) is not None
    with pytest.raises(RequestError, match='no field "disk_number"; it has: diskID'):
        read_request('{"disk_number": 3}', request_of("disk/v1beta1", "DiskStats"))


def test_an_unknown_field_is_refused_with_the_fields_that_there_are() -> None:
    with pytest.raises(RequestError) as refused:
        read_request('{"disk_nmber": 1}', SET_DISK_STATE)
    assert str(refused.value) == (
        'v1.SetDiskStateRequest has no field "disk_nmber"; did you mean "disk_number"? '
        "It has: disk_number (uint32), is_online (true or false)"
    )


def test_an_unknown_field_inside_a_message_is_refused_too() -> None:
    with pytest.raises(RequestError, match='no field "adress"'):
        read_request(
            '{"target_portal": {"adress": "10.0.0.1"}}', request_of("iscsi/v1alpha2", "AddTargetPortal")
        )


def test_another_spelling_of_a_field_is_not_taken_for_it() -> None:
    with pytest.raises(RequestError, match='no field "diskNumber"'):
        read_request('{"diskNumber": 1}', SET_DISK_STATE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "not a JSON object"),
        ("3", "not a JSON object"),
        ('{"disk_number": "x"}', "it is uint32"),
        ('{"disk_number": -1}', "it is uint32"),
        ('{"disk_number": 4294967296}', "it is uint32"),
        ('{"disk_number": [1]}', "it is uint32"),
        ('{"is_online": 1}', "it is true or false"),
        (" " * (MAX_REQUEST + 1), "longer than"),
    ],
)
def test_what_is_no_request_is_refused_with_a_reason(text: str, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        read_request(text, SET_DISK_STATE)


def test_a_secret_of_the_wrong_type_is_not_repeated_in_the_error() -> None:
    with pytest.raises(RequestError) as refused:
        read_request('{"password": {"hunter2": "hunter2"}}', NEW_MAPPING)
    assert "hunter2" not in str(refused.value)


def test_a_secret_is_not_shown() -> None:
    message = read_request('{"password": "hunter2", "username": "u"}', NEW_MAPPING)
    assert "hunter2" not in json.dumps(plain(message))
    assert plain(message)["username"] == "u"


def test_a_64_bit_size_is_a_number() -> None:
    reply = reply_of("volume/v1", "GetVolumeStats")(total_bytes=1 << 40, used_bytes=5)
    assert plain(reply) == {"total_bytes": 1 << 40, "used_bytes": 5}


def test_a_map_is_an_object_in_the_order_of_its_keys() -> None:
    reply = reply_of("disk/v1", "ListDiskIDs")()
    for number in (10, 2, 0):
        reply.diskIDs[number].page83 = f"p{number}"  # type: ignore[attr-defined]
    shown = plain(reply)
    assert list(shown["diskIDs"]) == ["0", "2", "10"]  # type: ignore[call-overload]


def test_an_enum_has_its_name() -> None:
    kind = request_of("csi-proxy/v1beta1", "PartitionDisk")
    assert plain(read_request('{"type": "GPT"}', kind))["type"] == "GPT"
    assert 'type ("MBR" or "GPT")' in describe_fields(descriptor_of(kind))
    with pytest.raises(RequestError, match='it is "MBR" or "GPT"'):
        read_request('{"type": "APM"}', kind)


def test_an_enum_value_of_a_later_release_stays_a_number() -> None:
    kind = request_of("csi-proxy/v1beta1", "PartitionDisk")
    assert plain(kind(type=7))["type"] == 7


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_no_json_makes_it_fail_otherwise(value: object) -> None:
    for document in (value, {"disk_number": value}, {"is_online": value}):
        with contextlib.suppress(RequestError):
            read_request(json.dumps(document), SET_DISK_STATE)
