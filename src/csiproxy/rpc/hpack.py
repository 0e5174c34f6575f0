"""HPACK, the compression of HTTP/2 headers (RFC 7541): a full decoder and the encoder that gRPC needs.

The encoder writes literals without indexing only.  It then has no table that the peer's settings could
change, and the headers of a reply are constants.
"""

from itertools import chain
from typing import Final

from csiproxy.rpc import huffman
from csiproxy.rpc.frames import Http2Error, Reason

Field = tuple[bytes, bytes]

_STATIC_TEXT: Final = (
    ":authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|"
    ":status=200|:status=204|:status=206|:status=304|:status=400|:status=404|:status=500|"
    "accept-charset|accept-encoding=gzip, deflate|accept-language|accept-ranges|accept|"
    "access-control-allow-origin|age|allow|authorization|cache-control|content-disposition|"
    "content-encoding|content-language|content-length|content-location|content-range|content-type|"
    "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|"
    "if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|"
    "proxy-authorization|range|referer|refresh|retry-after|server|set-cookie|strict-transport-security|"
    "transfer-encoding|user-agent|vary|via|www-authenticate"
)


def _static() -> tuple[Field, ...]:
    entries = (entry.encode().partition(b"=") for entry in _STATIC_TEXT.split("|"))
    return ((b"", b""), *((name, value) for name, _, value in entries))


STATIC: Final = _static()
"""The static table (RFC 7541 appendix A); index 0 is not used."""
_FIRST_DYNAMIC: Final = len(STATIC)
ENTRY_BYTES: Final = 32
"""What an entry counts beyond its name and value (RFC 7541 4.1, RFC 9113 6.5.2)."""
_MAX_RESIZES: Final = 2
"""Table size updates before a block: the smallest size that the table had and the final one (4.2)."""
_MAX_SHIFT: Final = 28
"""Integers have at most five octets after the prefix: more than any length or index can be."""


def _broken(message: str) -> Http2Error:
    return Http2Error(Reason.COMPRESSION_ERROR, message)


def read_integer(block: bytes, at: int, value: int) -> tuple[int, int]:
    """Go on with an integer whose prefix was full, ``value`` (RFC 7541 5.1); give it and the next offset."""
    shift = 0
    while True:
        octet = block[at]
        at += 1
        value += (octet & 0x7F) << shift
        if octet < 0x80:
            return value, at
        shift += 7
        if shift > _MAX_SHIFT:
            raise _broken("an HPACK integer is too long")


def _read_string(block: bytes, at: int) -> tuple[bytes, int]:
    octet = block[at]
    at += 1
    size = octet & 0x7F
    if size == 0x7F:
        size, at = read_integer(block, at, size)
    end = at + size
    if end > len(block):
        raise _broken("an HPACK string is longer than its block")
    text = block[at:end]
    if octet < 0x80:
        return text, end
    try:
        return huffman.decode(text), end
    except ValueError as error:
        raise _broken(str(error)) from None


class Decoder:
    """One direction's decoder: its dynamic table lives as long as the connection.

    ``table_bytes`` is the size we allow the table (our SETTINGS_HEADER_TABLE_SIZE), ``list_bytes`` the size
    of the header list that is given back.  ``changes`` counts what has changed the table: as long as it
    stays, the same block means the same fields.
    """

    __slots__ = ("_allowed", "_dynamic", "_limit", "_list_bytes", "_size", "changes")

    def __init__(self, table_bytes: int, list_bytes: int) -> None:
        self._dynamic: list[Field] = []  # the newest entry is the last
        self._size = 0
        self._allowed = self._limit = table_bytes
        self._list_bytes = list_bytes
        self.changes = 0

    def decode(self, block: bytes) -> list[Field] | None:
        """Read one header block.  None: the list is larger than allowed (the table is in step all the same).

        Raise Http2Error(COMPRESSION_ERROR) for what is not HPACK; the connection cannot go on then.
        """
        try:
            fields = self._decode(block)
        except IndexError:
            raise _broken("an HPACK block ends too early, or an index is in neither table") from None
        size = ENTRY_BYTES * len(fields) + sum(map(len, chain.from_iterable(fields)))
        return fields if size <= self._list_bytes else None

    def _decode(self, block: bytes) -> list[Field]:
        fields: list[Field] = []
        dynamic = self._dynamic
        at = resizes = 0
        end = len(block)
        while at < end:
            octet = block[at]
            at += 1
            if octet >= 0x80:
                index = octet & 0x7F
                if index >= _FIRST_DYNAMIC:
                    if index == 0x7F:
                        index, at = read_integer(block, at, index)
                    fields.append(dynamic[_FIRST_DYNAMIC - 1 - index])
                elif index:
                    fields.append(STATIC[index])
                else:
                    raise _broken("an HPACK index is zero")
            elif octet & 0xE0 == 0x20:
                resizes += 1
                if fields:
                    raise _broken("an HPACK table size update stands after a field")
                if resizes > _MAX_RESIZES:
                    raise _broken("a third HPACK table size update stands before a block")
                at = self._resize(block, at, octet & 0x1F)
            else:
                field, at = self._literal(block, at, octet)
                fields.append(field)
        return fields

    def _literal(self, block: bytes, at: int, octet: int) -> tuple[Field, int]:
        mask = 0x3F if octet & 0x40 else 0x0F
        index = octet & mask
        if index == mask:
            index, at = read_integer(block, at, index)
        if not index:
            name, at = _read_string(block, at)
        elif index < _FIRST_DYNAMIC:
            name = STATIC[index][0]
        else:
            name = self._dynamic[_FIRST_DYNAMIC - 1 - index][0]
        value, at = _read_string(block, at)
        field = (name, value)
        if octet & 0x40:
            self._insert(field)
        return field, at

    def _resize(self, block: bytes, at: int, size: int) -> int:
        if size == 0x1F:
            size, at = read_integer(block, at, size)
        if size > self._allowed:
            raise _broken("an HPACK table size update goes beyond what the settings allow")
        self._limit = size
        self.changes += 1
        self._evict()
        return at

    def _insert(self, field: Field) -> None:
        self.changes += 1
        self._dynamic.append(field)
        self._size += ENTRY_BYTES + len(field[0]) + len(field[1])
        if self._size > self._limit:
            self._evict()

    def _evict(self) -> None:
        gone = 0
        while self._size > self._limit:
            name, value = self._dynamic[gone]
            self._size -= ENTRY_BYTES + len(name) + len(value)
            gone += 1
        del self._dynamic[:gone]


def _write_integer(value: int, prefix: int, flags: int) -> bytes:
    if value < prefix:
        return bytes((flags | value,))
    out = bytearray((flags | prefix,))
    value -= prefix
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _write_string(text: bytes) -> bytes:
    return _write_integer(len(text), 0x7F, 0) + text


_INDEX: Final = {field: index for index, field in reversed(list(enumerate(STATIC))) if index}
_NAME_INDEX: Final = {field[0]: index for field, index in _INDEX.items()}


def encode(*fields: Field) -> bytes:
    """Write a header block: indexes of the static table where they fit, else literals without indexing."""
    out = []
    for field in fields:
        index = _INDEX.get(field)
        if index is not None and field[1]:
            out.append(_write_integer(index, 0x7F, 0x80))
            continue
        name_index = _NAME_INDEX.get(field[0], 0)
        out.append(_write_integer(name_index, 0x0F, 0))
        if not name_index:
            out.append(_write_string(field[0]))
        out.append(_write_string(field[1]))
    return b"".join(out)
