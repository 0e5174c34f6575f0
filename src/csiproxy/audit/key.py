"""The key that signs checkpoints, as it stands in its file."""

import os
import re
from dataclasses import dataclass, field
from typing import Final, Self

from csiproxy.audit.digest import sha256

_BYTES: Final = 32


class BadKey(Exception):
    """A key that must not be used; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the name by which checkpoints call it, which gives nothing of the key away."""

    secret: bytes = field(repr=False)
    id: str

    @classmethod
    def read(cls, text: bytes) -> Self:
        """Read a key file's content: 64 hexadecimal digits.  Raise BadKey."""
        if not re.fullmatch(rb"[0-9a-f]{64}\r?\n?", text):
            raise BadKey("holds no audit key, which is 64 hexadecimal digits")
        secret = bytes.fromhex(text.decode("ascii"))
        return cls(secret, sha256(b"csi-proxy audit key\n" + secret).hexdigest()[:16])


def make() -> bytes:
    """The content of a new key file."""
    return os.urandom(_BYTES).hex().encode("ascii") + b"\n"
