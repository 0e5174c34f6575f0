"""What a request marks as secret: readable by name, and by nothing else."""

from collections.abc import Mapping
from typing import final

from csiproxy.errors import InvalidArgument


@final
class Secrets:
    """The secrets of a request.  Prints as their names alone; only :meth:`take` gives one."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def take(self, name: str) -> str:
        """A secret, "" when there is none of that name."""
        return self._values.get(name, "")

    def demand(self, name: str) -> str:
        """A secret that has to be there; InvalidArgument when it is not."""
        value = self._values.get(name, "")
        if not value:
            raise InvalidArgument(f"'{name}' is missing: put it into the secret of the storage class")
        return value

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"

    def __reduce__(self) -> str:
        raise TypeError("secrets are not pickled or copied: pass the object itself")
