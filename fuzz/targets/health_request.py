"""The health service's request, read by hand, and beside it by protobuf.

https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

import re
from collections.abc import Iterable

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError
from csiproxy.server import health
from fuzz.broken import demand


def _request_class() -> type[Message]:
    file = FileDescriptorProto(name="health.proto", package="fuzz", syntax="proto3")
    message = file.message_type.add(name="HealthCheckRequest")
    message.field.add(
        name="service",
        number=1,
        type=FieldDescriptorProto.TYPE_STRING,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("fuzz.HealthCheckRequest"))


_REQUEST = _request_class()


def run(data: bytes) -> None:
    """Read by both; protobuf alone reads groups, and numbers that are too large for 64 bits."""
    try:
        expected = getattr(_REQUEST.FromString(data), "service", "")
    except DecodeError:
        expected = None
    try:
        found = health.decode_request(data)
    except RpcError as error:
        demand(error.code is Code.INVALID_ARGUMENT, "what cannot be read is the client's mistake")
        demand(expected is None or _may_be_refused(data), "what protobuf reads is read")
        return
    if expected is None and _LONG.search(data):
        return  # protobuf takes no tag of more than five bytes, however small its number is
    demand(found == expected, f"both read the same name: {found!r} {expected!r}")


_LONG = re.compile(rb"[\x80-\xff]{5}")
_TOO_LARGE = re.compile(rb"[\x80-\xff]{9}[\x02-\x7f]")


def _may_be_refused(data: bytes) -> bool:
    """Whether a byte could begin or end a group (wire types 3 and 4), or a number is too large."""
    return any(byte & 7 in (3, 4) for byte in data) or _TOO_LARGE.search(data) is not None


def seeds() -> Iterable[bytes]:
    """The request as clients send it, and every wire type."""
    texts = ("", "0a0776312e4469736b", "0a00", "0a0161 0a0162", "1001", "119911223344556677", "1d01020304",
             "0a02c328", "1b1c", "0801", "0a", "ffffffffffffffffff01", "00", "800a0161")  # fmt: skip
    yield from map(bytes.fromhex, texts)
