"""RFC 7541: what a decoder has to take, and what is a COMPRESSION_ERROR (RFC 9113 4.3)."""

from tests.rpc.conformance.connection_rows import ANSWERED, BLOCK
from tests.rpc.conformance.row import ConnectionEnds, Replied, Row, Status
from tests.rpc.wire import HEAD, data, framed, request

from csiproxy.errors import Code
from csiproxy.rpc import frames, hpack
from csiproxy.rpc.frames import Reason

BROKEN = (ConnectionEnds(Reason.COMPRESSION_ERROR),)
UNSPECIFIC = "names PROTOCOL_ERROR"
LENIENT = "takes more than one size update"


def block(*fragments: bytes, stream: int = 1) -> bytes:
    """A whole request with this header block."""
    return frames.frame(frames.HEADERS, 4, stream, b"".join(fragments)) + data(framed(b"x"), stream)


def row(section: str, rule: str, when: str, *fragments: bytes, h2: str = UNSPECIFIC) -> Row:
    return Row(f"RFC 7541 {section}", rule, when, block(*fragments), BROKEN, h2=h2)


def good(section: str, rule: str, when: str, *fragments: bytes) -> Row:
    return Row(f"RFC 7541 {section}", rule, when, block(*fragments), ANSWERED)


NEW, NEWEST = b"\x40\x01a\x01b", b"\xbe"
LARGE = b"\x40\x01a\x7f\x81\x1e" + b"v" * 3968  # with its name and 32 bytes, just fewer than the table's 4096
WITHOUT_PATH = hpack.encode(*(field for field in HEAD if field[0] != b":path"))

INTEGERS = (
    good(
        "5.1",
        "Integers may be written longer than they need to be.",
        "the length 1 in three bytes",
        BLOCK,
        b"\0\x01a\x7f\x81\x00" + b"v" * 128,
    ),
    row(
        "5.1",
        "Integers beyond a decoder's limits are errors.",
        "a length that never ends",
        BLOCK,
        b"\0\x7f" + b"\xff" * 9,
    ),
    row(
        "5.1",
        "Integers beyond a decoder's limits are errors.",
        "an index of 2^35",
        BLOCK,
        b"\xff" + b"\xff" * 4 + b"\x7f",
    ),
    row(
        "5.1",
        "Integers beyond a decoder's limits are errors.",
        "a table of 2^35",
        b"\x3f" + b"\xff" * 4 + b"\x7f",
        BLOCK,
    ),
    row("5.1", "Integers are complete.", "the block ends inside an index", BLOCK, b"\xff"),
)

STRINGS = (
    row("5.2", "Strings are complete.", "a length beyond the block", BLOCK, b"\0\x01a\x05v"),
    row("5.2", "Strings are complete.", "the block ends before the value", BLOCK, b"\0\x01a"),
    row("5.2", "Strings are complete.", "the block ends before the name", BLOCK, b"\0"),
    good(
        "5.2",
        "Strings may be Huffman-coded.",
        "a Huffman value",
        BLOCK,
        b"\0\x01a\x8c" + bytes.fromhex("f1e3c2e5f23a6ba0ab90f4ff"),
    ),
    row(
        "5.2",
        "The end-of-string symbol is an error.",
        "a string that holds it",
        BLOCK,
        b"\0\x01a\x84\xff\xff\xff\xff",
    ),
    row("5.2", "Padding has fewer than eight bits.", "eight bits of padding", BLOCK, b"\0\x01a\x82\x1f\xff"),
    row(
        "5.2",
        "Padding is the beginning of the end-of-string symbol.",
        "padding of zeros",
        BLOCK,
        b"\0\x01a\x81\x18",
    ),
)

FIELDS = (
    row("6.1", "Index 0 is not used.", "index 0", BLOCK, b"\x80"),
    row("2.3.3", "Indexes are within the tables.", "index 62 with an empty dynamic table", BLOCK, NEWEST),
    row(
        "2.3.3",
        "Indexes are within the tables.",
        "a name's index 62 with an empty dynamic table",
        BLOCK,
        b"\x7e\x01v",
    ),
    row("2.3.3", "Indexes are within the tables.", "index 63 with one entry", BLOCK, NEW, b"\xbf"),
    good("6.2.1", "Fields can be remembered and named.", "a new field, named again", BLOCK, NEW, NEWEST),
    good(
        "6.2.2",
        "Fields can be sent without being remembered.",
        "a field without indexing",
        BLOCK,
        b"\0\x01a\x01b",
    ),
    good(
        "6.2.3",
        "Fields can be sent that must never be remembered.",
        "a field never indexed",
        BLOCK,
        b"\x10\x01a\x01b",
    ),
    row(
        "6.2.2",
        "A field without indexing stays out of the table.",
        "one that is named afterwards",
        BLOCK,
        b"\0\x01a\x01b",
        NEWEST,
    ),
    row(
        "6.2.3",
        "A field never indexed stays out of the table.",
        "one that is named afterwards",
        BLOCK,
        b"\x10\x01a\x01b",
        NEWEST,
    ),
    good(
        "2.3.2",
        "Duplicates are allowed in the table.",
        "the same field remembered twice",
        BLOCK,
        NEW,
        NEW,
        b"\xbe\xbf",
    ),
    Row(
        "RFC 7541 2.2",
        "The table lasts as long as the connection.",
        "a field of an earlier request",
        block(BLOCK, NEW) + block(BLOCK, NEWEST, stream=3),
        (Replied(b"x"), Replied(b"x", 3)),
    ),
    Row(
        "RFC 7541 2.2",
        "The table lasts as long as the connection.",
        "the same bytes mean another path once the table has changed",
        block(b"\x44\x08/v1.A/On", WITHOUT_PATH)
        + block(NEWEST, WITHOUT_PATH, stream=3)
        + block(b"\x44\x0a/v1.A/Fail", WITHOUT_PATH, stream=5)
        + block(NEWEST, WITHOUT_PATH, stream=7),
        (Replied(b"x"), Replied(b"x", 3), Status(Code.NOT_FOUND, 5), Status(Code.NOT_FOUND, 7)),
    ),
)

TABLE = (
    row("6.3", "A size update stays within what our settings allow.", "4097", b"\x3f\xe2\x1f", BLOCK),
    good(
        "6.3",
        "A size update stays within what our settings allow.",
        "4096",
        b"\x3f\xe1\x1f",
        BLOCK,
        NEW,
        NEWEST,
    ),
    row("4.2", "Size updates come first in a block.", "an update behind a field", BLOCK, b"\x20"),
    good("4.2", "At most two size updates come together.", "0, then 4096", b"\x20\x3f\xe1\x1f", BLOCK),
    row("4.2", "At most two size updates come together.", "three", b"\x20\x20\x20", BLOCK, h2=LENIENT),
    Row(
        "RFC 7541 4.3",
        "A smaller table loses its oldest entries.",
        "an entry from before the table became 0",
        block(BLOCK, NEW) + block(b"\x20\x3f\xe1\x1f", BLOCK, NEWEST, stream=3),
        BROKEN,
        h2=UNSPECIFIC,
    ),
    row(
        "4.4",
        "A new entry makes room for itself.",
        "an entry that an almost full table has lost",
        BLOCK,
        NEW,
        LARGE,
        b"\x40\x01c" + b"\x7f\x81\x0f" + b"v" * 2048,
        b"\xbf\xc0",
    ),
    good(
        "4.4",
        "An entry larger than the table empties it, which is no error.",
        "an entry of 5000 bytes",
        BLOCK,
        b"\x40\x01a\x7f\x89\x26" + b"v" * 5000,
    ),
    row(
        "4.4",
        "An entry larger than the table empties it, which is no error.",
        "an older entry behind one of 5000 bytes",
        BLOCK,
        NEW,
        b"\x40\x01a\x7f\x89\x26" + b"v" * 5000,
        NEWEST,
    ),
    good(
        "4.4",
        "The name of an entry that has to go may be used for the new one.",
        "a field named by the entry that it displaces",
        BLOCK,
        LARGE,
        b"\x7e\x7f\x81\x0f" + b"v" * 2048,
    ),
)

BOMBS = (
    Row(
        "RFC 9113 10.5.1",
        "A list larger than our MAX_HEADER_LIST_SIZE is refused, and decoded.",
        "an entry of 4000 bytes named nine times",
        block(BLOCK, LARGE, NEWEST * 9) + request(b"y", 3) + block(BLOCK, NEWEST, stream=5),
        (Status(Code.RESOURCE_EXHAUSTED), Replied(b"y", 3), Replied(b"x", 5)),
    ),
)

ROWS = (*INTEGERS, *STRINGS, *FIELDS, *TABLE, *BOMBS)
