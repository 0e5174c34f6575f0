"""When NTFS holds two names to be the same.

NTFS compares names per UTF-16 code unit through an upper-case table: no normalisation, no expansion
(``ß`` is not ``SS``), nothing outside the basic plane.
https://learn.microsoft.com/windows/win32/fileio/naming-a-file (case), [MS-FSCC] for the table's role.
"""


def equality_key(name: str) -> str:
    """A text that is equal for two names exactly when NTFS would hold them equal."""
    return name.upper() if name.isascii() else "".join(map(_upper_unit, name))


def same_name(one: str, other: str) -> bool:
    """Whether NTFS would hold two names equal."""
    return equality_key(one) == equality_key(other)


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 code units, in which Windows' limits are given."""
    return len(text) if text.isascii() else sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def _upper_unit(character: str) -> str:
    if ord(character) > 0xFFFF:
        return character
    upper = character.upper()
    return upper if len(upper) == 1 and ord(upper) <= 0xFFFF else character
