"""Page-83 identifiers as an operator writes them: ``KIND:TEXT``."""

import re

import click

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

_BINARY = {
    "naa": (IdentifierType.FCPH_NAME, (8, 16)),
    "eui": (IdentifierType.EUI64, (8, 12, 16)),
}
"""Kinds that are bytes: their type, and the lengths that SPC-4 7.8.6 knows."""
_TEXT = {
    "t10": IdentifierType.VENDOR_ID,
    "scsi": IdentifierType.SCSI_NAME_STRING,
    "vendor": IdentifierType.VENDOR_SPECIFIC,
}
KINDS = (*_BINARY, *_TEXT)
_LONGEST_TEXT = 255


def parse_identifier(text: str) -> StorageIdentifier:
    """Return the descriptor that ``naa:6001405…`` or ``vendor:Google pvc-1`` stands for.

    ``naa`` and ``eui`` take hexadecimal digits, the others text.  Raises ValueError for another form.
    """
    kind, colon, value = text.partition(":")
    if not colon or kind not in KINDS:
        raise ValueError(
            f"'{text}' is no page-83 identifier: write KIND:TEXT, KIND one of {', '.join(KINDS)}"
        )
    if kind in _BINARY:
        type_, lengths = _BINARY[kind]
        return StorageIdentifier(CodeSet.BINARY, type_, Association.DEVICE, _digits(kind, value, lengths))
    data = value.encode("utf-8", "replace")
    if not value or not value.isprintable() or len(data) > _LONGEST_TEXT:
        raise ValueError(f"the {kind} identifier is 1 to {_LONGEST_TEXT} bytes of printable text")
    code_set = CodeSet.ASCII if value.isascii() else CodeSet.UTF8
    return StorageIdentifier(code_set, _TEXT[kind], Association.DEVICE, data)


def _digits(kind: str, value: str, lengths: tuple[int, ...]) -> bytes:
    digits = value.removeprefix("0x")
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", digits) or len(digits) // 2 not in lengths:
        sizes = " or ".join(str(2 * length) for length in lengths)
        raise ValueError(f"the {kind} identifier has {sizes} hexadecimal digits, not '{value}'")
    return bytes.fromhex(digits)


def identifiers_callback(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> tuple[StorageIdentifier, ...]:
    """Make descriptors of an option that takes ``KIND:TEXT`` and may be repeated."""
    try:
        return tuple(map(parse_identifier, texts))
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error
