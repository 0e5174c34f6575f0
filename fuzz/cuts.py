"""An input taken apart: numbers and pieces, as long as there are bytes; then zeros and nothing."""

from collections.abc import Iterator


class Cuts:
    """Reads an input from its begin.  Every way of cutting is cheap to mutate: no offsets, short lengths."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def number(self, size: int = 1) -> int:
        """The next ``size`` bytes as a number, big-endian; what is missing counts as zero."""
        return int.from_bytes(self.take(size).ljust(size, b"\0"), "big")

    def take(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data))

    def pieces(self, length_bytes: int = 1) -> Iterator[bytes]:
        """What is left as pieces, each behind its length; the last one may be shorter than it says."""
        while self:
            yield self.take(self.number(length_bytes))


def joined(pieces: Iterator[bytes] | list[bytes], length_bytes: int = 1) -> bytes:
    """What :meth:`Cuts.pieces` takes apart again."""
    return b"".join(len(piece).to_bytes(length_bytes, "big") + piece for piece in pieces)
