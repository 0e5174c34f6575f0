"""Header blocks that mean the same again, and those that do not."""

import hpack as judge
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rpc.wire import HEAD

from csiproxy.errors import Code
from csiproxy.rpc import hpack
from csiproxy.rpc.frames import Http2Error
from csiproxy.rpc.head_blocks import HeadBlocks
from csiproxy.rpc.hpack import Decoder
from csiproxy.rpc.request_head import Malformed, parse_head

TIMEOUT = (b"grpc-timeout", b"5S")


def reader(table_bytes: int = 4096, list_bytes: int = 1 << 15) -> HeadBlocks:
    return HeadBlocks(Decoder(table_bytes, list_bytes), 100)


def test_a_block_that_was_seen_is_not_read_again() -> None:
    blocks, block = reader(), hpack.encode(*HEAD, TIMEOUT)
    first = blocks.read(block)
    assert (first[0].path, first[1]) == ("/v1.Disk/Rescan", b"5S")
    assert blocks.read(block) is first


def test_a_change_of_the_table_changes_what_a_block_means() -> None:
    blocks = reader()
    named = b"\xbe"  # the newest entry of the dynamic table
    rest = hpack.encode(*(field for field in HEAD if field[0] != b":path"))
    blocks.read(b"\x44\x02/a" + rest)
    assert blocks.read(named + rest)[0].path == "/a"
    assert blocks.read(named + rest)[0].path == "/a"
    blocks.read(b"\x44\x02/b" + rest)
    assert blocks.read(named + rest)[0].path == "/b"
    assert blocks.read(b"\x20\x3f\xe1\x1f\x44\x02/c" + rest)[0].path == "/c"
    with pytest.raises(Http2Error):
        blocks.read(b"\x20\x3f\xe1\x1f" + named + rest)


def test_a_block_that_changes_the_table_is_read_every_time() -> None:
    blocks = reader()
    block = hpack.encode(*HEAD) + b"\x40\x01x\x01y"
    for count in range(1, 4):
        assert blocks.read(block)[0].path == "/v1.Disk/Rescan"
        assert len(blocks._decoder._dynamic) == count


def test_what_is_malformed_stays_so() -> None:
    blocks = reader()
    for _ in range(2):
        with pytest.raises(Malformed):
            blocks.read(hpack.encode(*HEAD, (b"Upper", b"")))


def test_a_path_longer_than_any_method_is_no_method() -> None:
    blocks = reader()
    head = [(name, b"/" + b"p" * 100 if name == b":path" else value) for name, value in HEAD]
    for _ in range(2):
        found, _ = blocks.read(hpack.encode(*head))
        assert found.path == ""
        assert found.failure is not None
        assert found.failure[0] is Code.UNIMPLEMENTED


def test_a_list_that_is_too_large_is_a_failure_of_its_call() -> None:
    found, _ = reader(list_bytes=200).read(hpack.encode(*HEAD))
    assert found.failure is not None
    assert found.failure[0] is Code.RESOURCE_EXHAUSTED


def test_what_is_remembered_is_bounded() -> None:
    blocks = reader()
    for at in range(100):
        blocks.read(hpack.encode(*HEAD, (b"x-number", b"%d" % at)))
        blocks.read(hpack.encode(*HEAD, (b"x-number", b"n" * 300 + b"%d" % at)))
    assert len(blocks._known) <= 32
    assert max(map(len, blocks._known)) <= 256


fields = st.sampled_from([*HEAD, TIMEOUT, (b"grpc-timeout", b"9m"), (b"x-a", b"1"), (b"x-b", b"2" * 40)])
operations = st.lists(
    st.tuples(st.lists(fields, max_size=3), st.booleans(), st.none() | st.integers(0, 300)), max_size=12
)


@given(operations)
def test_what_is_remembered_is_what_another_encoder_meant(
    requests: list[tuple[list[tuple[bytes, bytes]], bool, int | None]],
) -> None:
    encoder, blocks = judge.Encoder(), reader()
    for extra, huffman, table in requests:
        usual = [field for field in extra if field not in HEAD]
        timeouts = [value for name, value in usual if name == b"grpc-timeout"]
        if len(timeouts) > 1:
            continue
        if table is not None:  # once for a block: a third change before it is refused
            encoder.header_table_size = table
        head, timeout = blocks.read(encoder.encode([*HEAD, *usual], huffman=huffman))
        alone = parse_head([*HEAD, *(field for field in usual if field[0] != b"grpc-timeout")])
        assert (head.path, head.failure, head.http_status) == (alone.path, alone.failure, alone.http_status)
        assert timeout == (timeouts[0] if timeouts else None)
