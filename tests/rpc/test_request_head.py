"""A request's headers: malformed, not gRPC, or a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rpc.wire import HEAD

from csiproxy.errors import Code
from csiproxy.rpc.hpack import Field
from csiproxy.rpc.request_head import HeadReader, Malformed, check_trailers, parse_head

PSEUDO, REGULAR = list(HEAD[:4]), list(HEAD[4:])


def without(name: bytes) -> list[Field]:
    return [field for field in HEAD if field[0] != name]


def replaced(name: bytes, value: bytes) -> list[Field]:
    return [(known, value if known == name else old) for known, old in HEAD]


def test_a_usual_call_is_read() -> None:
    head = parse_head(list(HEAD))
    assert (head.path, head.http_status, head.failure, head.content_length) == (
        "/v1.Disk/Rescan",
        200,
        None,
        -1,
    )


@pytest.mark.parametrize(
    "fields",
    [
        without(b":method"),
        without(b":scheme"),
        without(b":path"),
        replaced(b":path", b""),
        replaced(b":path", b"v1.Disk/Rescan"),
        replaced(b":path", b"*"),
        [*HEAD, (b":path", b"/x")],
        [*REGULAR, *PSEUDO],
        [*HEAD, (b":status", b"200")],
        [(b":unknown", b""), *HEAD],
        [*PSEUDO, PSEUDO[0], *REGULAR],
        [*HEAD, (b"Upper", b"x")],
        [*HEAD, (b"", b"x")],
        [*HEAD, (b"a b", b"x")],
        [*HEAD, (b"a\x00", b"x")],
        [*HEAD, ("ü".encode(), b"x")],
        [*HEAD, (b"x", b"a\r\nb")],
        [*HEAD, (b"x", b"a\0")],
        [*HEAD, (b"x", b" a")],
        [*HEAD, (b"x", b"a\t")],
        [*HEAD, (b"connection", b"keep-alive")],
        [*HEAD, (b"transfer-encoding", b"chunked")],
        [*HEAD, (b"keep-alive", b"1")],
        [*HEAD, (b"proxy-connection", b"1")],
        [*HEAD, (b"upgrade", b"h2c")],
        [*HEAD, (b"te", b"gzip")],
        [(b"te", b"gzip"), *REGULAR],
        [*HEAD, (b"content-length", b"5"), (b"content-length", b"6")],
        replaced(b":path", b"/a\nb"),
        replaced(b":path", b"/a "),
        replaced(b":authority", b"a\0"),
        [(b":method", b"CONNECT"), *HEAD[1:]],
        [(b":method", b"CONNECT")],
        [(b":method", b"CONNECT"), (b":authority", b"x"), (b":scheme", b"http")],
        replaced(b"te", b"gzip"),
        replaced(b"te", b"trailers, deflate"),
        [*HEAD, (b"content-length", b"")],
        [*HEAD, (b"content-length", b"-1")],
        [*HEAD, (b"content-length", b"1" * 19)],
    ],
)
def test_a_malformed_head_is_refused(fields: list[Field]) -> None:
    with pytest.raises(Malformed):
        parse_head(fields)


@pytest.mark.parametrize(
    "authority",
    [
        b"localhost",
        b"",
        rb"\\.\pipe\csi-proxy-disk-v1",
        b"%5C%5C.%5Cpipe%5Ccsi-proxy-disk-v1",
        "ü".encode(),
        b"a" * 500,
    ],
)
def test_any_authority_is_accepted(authority: bytes) -> None:
    assert parse_head(replaced(b":authority", authority)).http_status == 200


def test_authority_te_and_scheme_are_not_looked_at_closely() -> None:
    assert parse_head(without(b":authority")).http_status == 200
    assert parse_head(without(b"te")).http_status == 200
    assert parse_head(replaced(b":scheme", b"https")).http_status == 200


@pytest.mark.parametrize(
    "value",
    [b"application/grpc", b"application/grpc+proto", b"application/grpc;x=y", b"application/grpc ; x"],
)
def test_a_grpc_content_type_is_accepted(value: bytes) -> None:
    assert parse_head(replaced(b"content-type", value)).http_status == 200


@pytest.mark.parametrize(
    "value", [b"", b"text/plain", b"application/grpc+json", b"application/grpcx", b"application/grpc-web"]
)
def test_another_content_type_is_415(value: bytes) -> None:
    assert parse_head(replaced(b"content-type", value)).http_status == 415


def test_no_content_type_is_415_and_another_method_405() -> None:
    assert parse_head(without(b"content-type")).http_status == 415
    assert parse_head(replaced(b":method", b"GET")).http_status == 405


def test_compression_is_unimplemented_and_identity_is_fine() -> None:
    failure = parse_head([*HEAD, (b"grpc-encoding", b"gzip")]).failure
    assert failure is not None
    assert failure[0] is Code.UNIMPLEMENTED
    assert parse_head([*HEAD, (b"grpc-encoding", b"identity")]).failure is None


def test_a_content_length_is_read() -> None:
    assert parse_head([*HEAD, (b"content-length", b"12")]).content_length == 12


@pytest.mark.parametrize("at", range(4, 7))
def test_a_reader_takes_the_timeout_aside_wherever_it_stands(at: int) -> None:
    reader = HeadReader()
    for timeout in (b"1S", b"2S", b"3S"):
        fields = list(HEAD)
        fields.insert(at, (b"grpc-timeout", timeout))
        head, found = reader.read(fields)
        assert (head.path, found) == ("/v1.Disk/Rescan", timeout)
    assert reader.read(list(HEAD))[1] is None


def test_a_reader_gives_the_same_head_for_the_same_fields() -> None:
    reader = HeadReader()
    first, _ = reader.read([*HEAD, (b"grpc-timeout", b"1S")])
    second, _ = reader.read([*HEAD, (b"grpc-timeout", b"2S")])
    assert first is second


def test_a_timeout_in_front_of_a_pseudo_header_is_malformed_known_or_not() -> None:
    reader = HeadReader()
    reader.read(list(HEAD))
    with pytest.raises(Malformed):
        reader.read([(b"grpc-timeout", b"1S"), *HEAD])
    with pytest.raises(Malformed):
        HeadReader().read([(b"grpc-timeout", b"1S"), *HEAD])


def test_a_reader_remembers_few_and_small_heads_only() -> None:
    reader = HeadReader()
    for number in range(500):
        reader.read([*HEAD, (b"x-%d" % number, b"y")])
        reader.read([*HEAD, (b"x", b"%d" % number * 2000)])
    assert sum(len(name) + len(value) for head in reader._known for name, value in head) <= 32 * 1024


fields = st.lists(
    st.sampled_from([*HEAD, (b"grpc-timeout", b"5S"), (b"grpc-encoding", b"gzip"), (b"content-length", b"7")])
    | st.tuples(st.binary(max_size=12), st.binary(max_size=12)),
    max_size=12,
)


@given(st.lists(fields, max_size=4))
def test_any_fields_are_a_head_or_malformed_and_the_reader_agrees_with_the_parser(
    lists: list[list[Field]],
) -> None:
    reader = HeadReader()
    for one in lists:
        try:
            expected = parse_head(list(one))
        except Malformed:
            continue
        if sum(name == b"grpc-timeout" for name, _ in one) > 1:
            continue
        head, timeout = reader.read(list(one))
        assert timeout == dict(one).get(b"grpc-timeout")
        assert (head.path, head.http_status, head.failure) == (
            expected.path,
            expected.http_status,
            expected.failure,
        )


def test_trailers_may_hold_regular_fields_only() -> None:
    check_trailers([(b"x-checksum", b"1")])
    with pytest.raises(Malformed):
        check_trailers([(b":path", b"/")])


@pytest.mark.parametrize(
    "fields",
    [
        replaced(b":method", b"GET"),
        [(b":method", b"OPTIONS"), (b":scheme", b"http"), (b":path", b"*")],
        [(b":method", b"CONNECT"), (b":authority", b"x")],
    ],
)
def test_another_method_is_well_formed_and_not_allowed(fields: list[Field]) -> None:
    assert parse_head(fields).http_status == 405


def test_a_content_length_may_be_said_twice() -> None:
    assert parse_head([*HEAD, (b"content-length", b"5"), (b"content-length", b"5")]).content_length == 5


def test_what_is_remembered_is_bounded_as_header_lists_count() -> None:
    reader = HeadReader()
    for at in range(40):
        reader.read([*HEAD, *((b"%d-%d" % (at, field), b"") for field in range(90))])
    held = [len(name) + len(value) + 32 for fields in reader._known for name, value in fields]
    assert sum(held) <= 16 * 1024
    reader.read([*HEAD, *((b"%d" % field, b"") for field in range(600))])
    assert len(reader._known) <= 32
