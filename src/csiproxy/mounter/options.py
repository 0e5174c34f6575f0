"""Mount options: which of them ask for a bind mount, which a Windows node can keep to, and what is shown.

Windows has no mount options.  An option is kept to, or it is refused by name; none is passed over that a
workload could rely on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from csiproxy.errors import InvalidArgument, WindowsCode

BIND: Final = "bind"
REMOUNT: Final = "remount"
READ_ONLY: Final = "ro"
_NETWORK: Final = "_netdev"
_MEANINGLESS: Final = frozenset({"rw", "defaults", _NETWORK, REMOUNT})
"""What says nothing about how a Windows node is to behave."""
MASKED: Final = "<masked>"


@dataclass(frozen=True, slots=True)
class BindOptions:
    """The two halves of a bind mount on Linux: to bind, and to bind again with the other options."""

    bind: tuple[str, ...]
    remount: tuple[str, ...]


def bind_options(options: Sequence[str]) -> BindOptions | None:
    """Return the options of a bind mount, None where none is asked for; ``_netdev`` is of the first half."""
    if BIND not in options:
        return None
    first = (BIND, _NETWORK) if _NETWORK in options else (BIND,)
    rest = tuple(option for option in options if option not in (BIND, REMOUNT, _NETWORK))
    return BindOptions(first, (BIND, REMOUNT, *rest))


def refuse_unkept(options: Iterable[str]) -> None:
    """Raise InvalidArgument for an option that a Windows node cannot keep to."""
    for option in options:
        if option not in _MEANINGLESS and option != BIND:
            why = (
                "a link cannot be read-only: make the volume read-only where it is attached"
                if option == READ_ONLY
                else "Windows has no mount options: leave it away"
            )
            raise InvalidArgument(
                f"the mount option '{option[:64]}' cannot be kept to: {why}", WindowsCode.NOT_SUPPORTED
            )


def shown(options: Iterable[str], sensitive: Iterable[str] = ()) -> str:
    """Return options as a log may have them: each sensitive one is ``<masked>``."""
    return ",".join([*options, *(MASKED for _ in sensitive)])
