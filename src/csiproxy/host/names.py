"""Which names Windows can have, and when NTFS holds two of them to be the same.

NTFS compares names per UTF-16 code unit through an upper-case table: no normalisation, no expansion
(``ß`` is not ``SS``), nothing outside the basic plane.  The table that Windows writes since version 7 holds
the simple, reversible capitals of Unicode 5.1: ``ı``, ``ſ`` and ``ς`` too equal nothing but themselves.
https://learn.microsoft.com/windows/win32/fileio/naming-a-file (case), [MS-FSCC] for the table's role.
"""

import re
from functools import lru_cache

LONGEST_NAME = 255  # UTF-16 code units
# With any extension, and with the superscript digits that Windows takes for digits.
DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"]
    + [port + digit for port in ("COM", "LPT") for digit in "0123456789\u00b9\u00b2\u00b3"]
)
_ILLEGAL = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_NO_TEXT = re.compile("[\ud800-\udfff]")

# Letters (first and last of each run) that Unicode gave a capital after 5.1: to NTFS they have none.
LATE_CAPITALS = (
    (0x023F, 0x0240), (0x0252, 0x0252), (0x025C, 0x025C), (0x0261, 0x0261), (0x0265, 0x0266),
    (0x026A, 0x026A), (0x026C, 0x026C), (0x0282, 0x0282), (0x0287, 0x0287), (0x029D, 0x029E),
    (0x03F3, 0x03F3), (0x0525, 0x052F), (0x10D0, 0x10FF), (0x13F8, 0x13FD), (0x1D8E, 0x1D8E),
    (0x2C5F, 0x2C5F), (0x2CEC, 0x2CF3), (0x2D27, 0x2D2D), (0xA661, 0xA661), (0xA699, 0xA69B),
    (0xA791, 0xA7FF), (0xAB53, 0xABBF),
)  # fmt: skip


def printable(text: str) -> str:
    """A text that a log, a record or a terminal may get: what is not printable becomes ``\\u{…}``.

    Not printable are control characters, separators of lines, and what turns or hides text.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)


def fault(name: str) -> str:
    """Why Windows cannot have a name in a directory; empty when it can."""
    return f"it is longer than {LONGEST_NAME} characters" if len(name) > LONGEST_NAME else _fault(name)


@lru_cache(maxsize=4096)
def _fault(name: str) -> str:
    if name in ("", ".", ".."):
        return "it is empty or means another directory"
    if _ILLEGAL.search(name):
        return 'it has a control character or one of < > : " / \\ | ? *'
    if _NO_TEXT.search(name):
        return "it is not Unicode text"
    if name[-1] in ". ":
        return "Windows drops a dot or space at its end"
    if utf16_length(name) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} characters"
    if equality_key(name.partition(".")[0].rstrip(" ")) in DEVICES:
        return "it is the name of a device"
    return ""


def equality_key(name: str) -> str:
    """A text that is equal for two names exactly when NTFS would hold them equal."""
    return name.upper() if name.isascii() else "".join(map(_upper_unit, name))


def same_name(one: str, other: str) -> bool:
    """Whether NTFS would hold two names equal."""
    return equality_key(one) == equality_key(other)


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 code units, in which Windows' limits are given."""
    return len(text) if text.isascii() else sum(2 if ord(character) > 0xFFFF else 1 for character in text)


@lru_cache(maxsize=4096)
def _upper_unit(character: str) -> str:
    """What the upper-case table holds for one character."""
    code = ord(character)
    if code > 0xFFFF or any(first <= code <= last for first, last in LATE_CAPITALS):
        return character
    for capital in (character.upper(), character.title()):
        if len(capital) == 1 and ord(capital) <= 0xFFFF and capital.lower() == character:
            return capital
    return character
