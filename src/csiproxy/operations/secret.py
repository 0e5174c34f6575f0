"""A text that must not be seen: passwords and CHAP secrets on their way to the host call that needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from csiproxy.wiping import forget_locals, wipe


@final
class Secret:
    """A secret that prints as ``***`` wherever it turns up: in a message, a record, a traceback, a log.

    Only :meth:`revealed` gives the text, for a while, so every place that has it can be found by that name.
    :meth:`wipe` ends it: what is made of a request's bytes is overwritten when the call is over.
    """

    __slots__ = ("_bytes",)

    def __init__(self, text: str | bytearray) -> None:
        """``text``, or its UTF-8 bytes, which belong to the secret from then on."""
        self._bytes = text if isinstance(text, bytearray) else bytearray(text, "utf-8", "surrogatepass")

    @contextmanager
    def revealed(self) -> Iterator[str]:
        """The secret itself, for the host call that needs it; overwritten afterwards if nobody keeps it."""
        text = self._bytes.decode("utf-8", "surrogatepass")
        try:
            yield text
        except BaseException as error:
            # The way that a failure came holds on to the secret; nobody needs that way but for its lines.
            forget_locals(error)
            raise
        finally:
            wipe(text, holders=2)  # the name here, and the one of the block

    def digest(self, key: bytes, of: str) -> bytes:
        """A keyed digest of ``of`` and the secret, which nobody can turn back."""
        from hashlib import blake2b  # here, as most calls have no secret

        made = blake2b(of.encode("utf-8", "surrogatepass") + b"\0", key=key)
        made.update(self._bytes)
        return made.digest()

    def wipe(self) -> None:
        """Overwrite the secret; it is an empty one from then on."""
        wipe(self._bytes)
        self._bytes = bytearray()

    def __bool__(self) -> bool:
        """Whether there is a secret at all: an unset field is an empty one."""
        return bool(self._bytes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash((Secret, len(self._bytes)))

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret('***')"

    def __format__(self, format_spec: str) -> str:
        # The default would go by __str__, but is free to pad it; three stars are three stars.
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled or copied: pass the object itself")
