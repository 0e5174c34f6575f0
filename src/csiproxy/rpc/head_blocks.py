"""The header blocks of a connection's requests, of which most are the same again."""

from typing import Final

from csiproxy.errors import Code
from csiproxy.rpc.hpack import Decoder
from csiproxy.rpc.request_head import TOO_LARGE, HeadReader, RequestHead

_KNOWN_BLOCKS: Final = 32
_KNOWN_BYTES: Final = 256
"""How many blocks of what size a connection remembers: one or two for each method that a client uses."""

PATH_TOO_LONG: Final = RequestHead("", 0)
"""Stands for a request whose path is longer than any method's."""
PATH_TOO_LONG.failure = Code.UNIMPLEMENTED, "there is no such method; its name is longer than any"


class HeadBlocks:
    """Reads header blocks and remembers them for as long as they mean the same.

    What a block means depends on the decoder's dynamic table alone, which clients stop to change once it
    holds their usual fields.
    """

    __slots__ = ("_decoder", "_heads", "_known", "_path_bytes")

    def __init__(self, decoder: Decoder, path_bytes: int) -> None:
        self._decoder = decoder
        self._path_bytes = path_bytes
        self._heads = HeadReader()
        self._known: dict[bytes, tuple[RequestHead, bytes | None]] = {}

    def read(self, block: bytes) -> tuple[RequestHead, bytes | None]:
        """Give a request's head and its ``grpc-timeout``.

        Raise Malformed; Http2Error for what is not HPACK.  The dynamic table is in step in any case.
        """
        known = self._known.get(block)
        return self._decode(block) if known is None else known

    def _decode(self, block: bytes) -> tuple[RequestHead, bytes | None]:
        before = self._decoder.changes
        fields = self._decoder.decode(block)
        changed = self._decoder.changes != before
        if changed:
            self._known.clear()
        if fields is None:
            return TOO_LARGE, None
        head, timeout = self._heads.read(fields)
        if len(head.path) > self._path_bytes:
            head = PATH_TOO_LONG
        found = head, timeout
        if not changed and len(block) <= _KNOWN_BYTES:
            if len(self._known) >= _KNOWN_BLOCKS:
                self._known.clear()
            self._known[block] = found
        return found
