"""The hand-written health service agrees with protobuf about every message and with the protocol."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError
from csiproxy.server import health


def _health_messages() -> tuple[type[Message], type[Message]]:
    """The two messages as protobuf itself makes them, from their published definition."""
    file = descriptor_pb2.FileDescriptorProto(name="health.proto", package="grpc.health.v1", syntax="proto3")
    field = file.message_type.add(name="HealthCheckRequest").field.add(
        name="service", number=1, label=1, type=9
    )
    assert field.type == descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    response = file.message_type.add(name="HealthCheckResponse")
    enum = response.enum_type.add(name="ServingStatus")
    for number, name in enumerate(("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")):
        enum.value.add(name=name, number=number)
    response.field.add(
        name="status",
        number=1,
        label=1,
        type=14,
        type_name=".grpc.health.v1.HealthCheckResponse.ServingStatus",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    request, reply = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"grpc.health.v1.{name}"))
        for name in ("HealthCheckRequest", "HealthCheckResponse")
    )
    return request, reply


REQUEST, RESPONSE = _health_messages()


def _oracle(data: bytes) -> str | None:
    try:
        return REQUEST.FromString(data).service
    except DecodeError:
        return None


def _ours(data: bytes) -> str | None:
    try:
        return health.decode_request(data)
    except RpcError as error:
        if error.code is not Code.INVALID_ARGUMENT:
            raise
        return None


@given(st.text())
def test_a_service_name_is_read_as_protobuf_writes_it(name: str) -> None:
    assert health.decode_request(REQUEST(service=name).SerializeToString()) == name


_VARINTS = st.integers(0, 2**64 - 1).map(lambda n: _varint(n))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, wire_type: int, body: bytes) -> bytes:
    length = _varint(len(body)) if wire_type == 2 else b""
    return _varint(number << 3 | wire_type) + length + body


_NUMBERS = st.one_of(st.just(1), st.integers(0, 2**29 + 5))
_FIELDS = st.one_of(
    st.builds(_field, _NUMBERS, st.just(0), _VARINTS),
    st.builds(_field, _NUMBERS, st.just(1), st.binary(min_size=8, max_size=8)),
    st.builds(
        _field, _NUMBERS, st.just(2), st.one_of(st.binary(max_size=20), st.text(max_size=9).map(str.encode))
    ),
    st.builds(_field, _NUMBERS, st.just(5), st.binary(min_size=4, max_size=4)),
)


@given(st.lists(_FIELDS, max_size=5).map(b"".join), st.integers(0, 3))
def test_fields_of_every_kind_are_skipped_and_refused_like_protobuf_does(data: bytes, cut: int) -> None:
    data = data[: len(data) - cut]
    assert _ours(data) == _oracle(data)


@given(st.binary(max_size=24).filter(lambda data: not any(byte & 7 in (3, 4) for byte in data)))
def test_any_bytes_are_read_or_refused_like_protobuf_does(data: bytes) -> None:
    assert _ours(data) == _oracle(data)


@given(st.binary(max_size=64))
def test_no_bytes_raise_anything_but_a_status(data: bytes) -> None:
    _ours(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a",  # a length is missing
        b"\x0a\x05v1",  # shorter than it says
        b"\x0a\x01\xff",  # not UTF-8
        b"\x0a\x01\xff\x0a\x01a",  # likewise, although a good one follows
        b"\x00\x00",  # field 0
        b"\x0b\x0c",  # a group
        b"\xff" * 11,  # a number without end
        b"\x0a" + b"\xff" * 9 + b"\x01",  # longer than anything
    ],
)
def test_a_malformed_request_is_an_invalid_argument(data: bytes) -> None:
    with pytest.raises(RpcError) as caught:
        health.answer(health.CHECK, data, "v1.Disk")
    assert caught.value.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("name", ["", "v1.Disk"])
def test_the_server_and_the_endpoints_own_service_are_serving(name: str) -> None:
    reply = RESPONSE.FromString(
        health.answer(health.CHECK, REQUEST(service=name).SerializeToString(), "v1.Disk")
    )
    assert reply.status == 1


@pytest.mark.parametrize("name", ["v1.Volume", "v1.disk", "v1.Disk ", "grpc.health.v1.Health"])
def test_another_service_is_not_found(name: str) -> None:
    with pytest.raises(RpcError) as caught:
        health.answer(health.CHECK, REQUEST(service=name).SerializeToString(), "v1.Disk")
    assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("method", [health.WATCH, "/grpc.health.v1.Health/List"])
def test_only_check_is_served(method: str) -> None:
    with pytest.raises(RpcError) as caught:
        health.answer(method, b"", "v1.Disk")
    assert caught.value.code is Code.UNIMPLEMENTED
    assert health.CHECK in caught.value.message
