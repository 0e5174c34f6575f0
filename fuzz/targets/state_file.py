"""Any bytes as a node's state file (:class:`csiproxy.emulator.state.State`).

An input is a byte of choices, and the file's bytes; or pieces that are written over a good state file, each
two bytes of offset, a length and the bytes.
"""

import os
import uuid
from collections.abc import Iterable
from functools import cache

from csiproxy.emulator.machine import SCHEMA
from csiproxy.emulator.state import APPLICATION_ID, State, StateError
from fuzz.broken import demand
from fuzz.cuts import Cuts
from fuzz.targets.endpoints import scratch

# A small page keeps the file, and with it the inputs, small.
_SMALL_PAGES = "PRAGMA page_size = 512"
_OVER_A_GOOD_FILE = 1


@cache
def _directory() -> str:
    return scratch()


@cache
def _good() -> bytes:
    """A state file that was used."""
    path = os.path.join(_directory(), "good.db")
    state = State(path, SCHEMA)
    state.seed("fuzz")
    state.fresh_guid()
    with state.transaction() as db:
        db.execute("INSERT INTO links VALUES ('1:2', X'2E2E', 'symbolic link', 'C:\\a', 'C:\\b')")
    state.close()
    _repack(path)
    return _read(path)


def _repack(path: str) -> None:
    import sqlite3

    db = sqlite3.connect(path, isolation_level=None)
    db.execute(_SMALL_PAGES)
    db.execute("VACUUM")
    db.close()


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def run(data: bytes) -> None:
    """The file opens and works, or is refused and stays as it is, with nothing beside it."""
    cuts = Cuts(data)
    content = bytearray(_good() if cuts.number() & _OVER_A_GOOD_FILE else b"")
    if content:
        while cuts:
            at = cuts.number(2)
            piece = cuts.take(cuts.number())
            content[at : at + len(piece)] = piece
    else:
        content += cuts.rest()
    path = os.path.join(_directory(), "tried", "state.db")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    try:
        _open(path, bytes(content))
    finally:
        for name in os.listdir(os.path.dirname(path)):
            os.unlink(os.path.join(os.path.dirname(path), name))


def _open(path: str, content: bytes) -> None:
    try:
        state = State(path, SCHEMA)
    except StateError as error:
        demand(path in str(error), "a refusal names the file")
        demand(_read(path) == content, f"what is refused stays as it is: {error}")
        demand(
            os.listdir(os.path.dirname(path)) == [os.path.basename(path)],
            "a refusal leaves nothing beside it",
        )
        return
    demand(_may_be_taken(content), "what belongs to another program is refused")
    try:
        first, second = state.fresh_guid(), state.fresh_guid()
    except StateError:
        return
    else:
        demand(str(uuid.UUID(first)) == first != second, "identifiers are GUIDs and differ")
    finally:
        state.close()


def _may_be_taken(content: bytes) -> bool:
    """Whether a file is the node's own, or nobody's: empty, or a database without a table.

    https://www.sqlite.org/fileformat2.html: owner and layout stand in the header, behind it the first page's
    kind and count.
    """
    owner, layout = content[68:72], content[60:64]
    # SQLite takes a file of a single byte for an empty one.
    if len(content) <= 1 or owner == APPLICATION_ID.to_bytes(4, "big"):
        return True
    return owner + layout == bytes(8) and content[100:101] == b"\x0d" and content[103:105] == b"\0\0"


def seeds() -> Iterable[bytes]:
    """No file, a good one, and good ones with another owner, version, page count and root page."""
    yield b"\0"
    yield b"\0" + _good()[:600]
    yield bytes((_OVER_A_GOOD_FILE,))
    for offset, value in (
        (68, b"\0\0\0\1"), (60, b"\0\0\0\x09"), (28, b"\0\0\0\2"), (100, b"\x05"), (0, b"sqlite"),
        (18, b"\2\2"), (56, b"\0\0\0\2"), (512, b"\x0d\0\0"), (512, b"\0" * 40),
    ):  # fmt: skip
        yield bytes((_OVER_A_GOOD_FILE,)) + offset.to_bytes(2, "big") + bytes((len(value),)) + value
    text = _good().find(b"CREATE TABLE identity")
    if text >= 0:
        yield bytes((_OVER_A_GOOD_FILE,)) + text.to_bytes(2, "big") + b"\x0cCRE\xfeTXX\0\0\0\0\0"
