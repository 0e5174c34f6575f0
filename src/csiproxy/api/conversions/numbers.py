"""Numbers that older versions carry as text."""

from csiproxy.errors import InvalidArgument

MAX_DISK_NUMBER = 0xFFFFFFFF
MAX_TCP_PORT = 0xFFFF
_SHOWN = 64


def disk_number(text: str, field: str) -> int:
    """Read a disk number: decimal digits, 0 to 4294967295, nothing else.

    ``field`` is the field's name in the version that the client speaks.
    Raises :class:`csiproxy.errors.InvalidArgument`.
    """
    number = _decimal(text, MAX_DISK_NUMBER)
    if number is None:
        raise InvalidArgument(
            f"{field} {_quoted(text)} is not a disk number: give decimal digits, 0 to {MAX_DISK_NUMBER}"
        )
    return number


def tcp_port(text: str, field: str) -> int:
    """Read a TCP port: decimal digits, 0 to 65535; nothing at all is 0, which means the usual port.

    Raises :class:`csiproxy.errors.InvalidArgument`.
    """
    number = _decimal(text or "0", MAX_TCP_PORT)
    if number is None:
        raise InvalidArgument(
            f"{field} {_quoted(text)} is not a TCP port: give decimal digits, 1 to {MAX_TCP_PORT}, or nothing"
        )
    return number


def _decimal(text: str, most: int) -> int | None:
    """Read ASCII digits up to ``most``; the length is looked at first, as int() is slow on long texts."""
    if not (text.isascii() and text.isdigit()):
        return None
    significant = text.lstrip("0") or "0"
    if len(significant) > len(str(most)):
        return None
    number = int(significant)
    return number if number <= most else None


def _quoted(text: str) -> str:
    """Quote a client's text for a message: no control characters, no length that anybody must scroll."""
    shown = text[:_SHOWN].encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{shown}{"…" if len(text) > _SHOWN else ""}"'
