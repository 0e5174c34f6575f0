"""A text that must not be seen: passwords and CHAP secrets on their way to the host call that needs them."""

from typing import final


@final
class Secret:
    """A secret that prints as ``***`` wherever it turns up: in a message, a record, a traceback, a log.

    Only :meth:`reveal` gives the text, so every place that does can be found by that name.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the host call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        """Whether there is a secret at all: an unset field is an empty one."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __str__(self) -> str:
        return "***"

    def __repr__(self) -> str:
        return "Secret('***')"

    def __format__(self, format_spec: str) -> str:
        # The default would go by __str__, but is free to pad it; three stars are three stars.
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled or copied: pass the object itself")
