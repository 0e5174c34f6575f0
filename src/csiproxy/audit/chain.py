"""The chain of an audit trail: each line carries the digest of itself and of all lines before it.

A line of the trail is a JSON object whose last two members are its number and its digest::

    {"time":…,"rpc":…,"seq":17,"hash":"<64 hexadecimal digits>"}

The digest is SHA-256 over the digest of the line before (32 bytes) and the line's own bytes up to
``,"hash"``.  Whoever has only the lines can tell that none was changed, removed or put elsewhere, but could
also make a new chain.  That is what checkpoints are for: lines that carry an HMAC-SHA-256 (RFC 2104), made
with the service's key, over all that stands before it in the line, the number and digest of the line before
among it.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from csiproxy.audit.digest import hmac_sha256, sha256

GENESIS: Final = bytes(32)
"""What the first line of a trail follows."""

CHECKPOINT_EVERY: Final = 256
"""Lines after which a checkpoint follows; time brings one, too."""

CHECKPOINT, FILE, RESUMED, TORN = "checkpoint", "file", "resumed", "torn"
"""Events that the trail writes about itself."""

_LINE: Final = re.compile(rb'(\{.*,"seq":([0-9]{1,18})),"hash":"([0-9a-f]{64})"\}', re.DOTALL)
_SIGNED: Final = re.compile(rb'(\{.*),"signature":"([0-9a-f]{64})","seq":[0-9]+', re.DOTALL)
_PURPOSE: Final = b"csi-proxy audit checkpoint 1\n"


class Position(NamedTuple):
    """A place in the chain: the number of a line and its digest."""

    seq: int
    digest: bytes


START: Final = Position(0, GENESIS)


@dataclass(frozen=True, slots=True)
class Link:
    """A line as it stands in a file: what the digest is over, and the number and digest that it claims."""

    text: bytes
    claim: Position

    def follows(self, before: Position) -> bool:
        """Whether this line is the one behind ``before``."""
        return self.claim.seq == before.seq + 1 and digest_of(before.digest, self.text) == self.claim.digest


def digest_of(before: bytes, text: bytes) -> bytes:
    """The digest of a line."""
    return sha256(before + text).digest()


def forge(before: Position, record: bytes) -> tuple[bytes, Position]:
    """Make a line of a record (a JSON object with at least one member, and a line feed)."""
    seq = before.seq + 1
    text = b'%b,"seq":%d' % (record[:-2], seq)
    digest = sha256(before.digest + text).digest()
    return b'%b,"hash":"%b"}\n' % (text, digest.hex().encode("ascii")), Position(seq, digest)


def read(line: bytes) -> Link | None:
    """What a line without its line feed claims to be; None for what is no line of a chain."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    text, seq, digest = found.groups()
    return Link(text, Position(int(seq), bytes.fromhex(digest.decode("ascii"))))


def sign(key: bytes, checkpoint: bytes) -> bytes:
    """Give a checkpoint (an object that names the line before it by number and digest) its signature."""
    text = checkpoint[:-2]
    return b'%b,"signature":"%b"}\n' % (text, _signature(key, text))


def signed(key: bytes, link: Link) -> bool:
    """Whether a line is a checkpoint that has the key's signature."""
    found = _SIGNED.fullmatch(link.text)
    return found is not None and _signature(key, found[1]) == found[2]  # nobody guesses by the time


def _signature(key: bytes, text: bytes) -> bytes:
    return hmac_sha256(key, _PURPOSE + text).hexdigest().encode("ascii")
