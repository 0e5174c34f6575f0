"""SHA-256 and HMAC-SHA-256 as the interpreter has them built in.

:mod:`hashlib` and :mod:`hmac` would load OpenSSL, which is most of what a small daemon has in memory.  The
built-in modules are what hashlib itself falls back to; where an interpreter has none, it is hashlib's turn.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Final, Protocol

_BLOCK: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class Hash(Protocol):
    """What is used of a hash object."""

    def digest(self) -> bytes:
        """The digest."""
        ...

    def hexdigest(self) -> str:
        """The digest in hexadecimal digits."""
        ...


def _built_in() -> Callable[[bytes], Hash]:
    for name in ("_sha2", "_sha256", "hashlib"):  # from Python 3.12 on; 3.11; any
        try:
            found: Callable[[bytes], Hash] = import_module(name).sha256
        except (ImportError, AttributeError):
            continue
        return found
    raise ImportError("this Python has no SHA-256")


sha256: Final = _built_in()


def hmac_sha256(key: bytes, message: bytes) -> Hash:
    """HMAC (RFC 2104) of a message, with a key of at most a block (64 bytes)."""
    padded = key.ljust(_BLOCK, b"\0")
    return sha256(padded.translate(_OUTER) + sha256(padded.translate(_INNER) + message).digest())
