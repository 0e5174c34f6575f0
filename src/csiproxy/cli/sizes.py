"""Sizes as people write and read them: ``64MiB``, ``2GiB``, plain bytes."""

import re

import click

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_FACTORS = {unit.lower(): 1024**power for power, unit in enumerate(_UNITS)}
_FORM = re.compile(r"([0-9]{1,20})\s*([a-zA-Z]*)")


def parse_size(text: str) -> int:
    """Return the bytes that ``64MiB``, ``2 GiB`` or ``1048576`` stand for; raise ValueError for another form.

    Only the binary units: a disk of ``1GB`` would be no whole number of MiB, which surprises later.
    """
    match = _FORM.fullmatch(text.strip())
    factor = _FACTORS.get(match[2].lower() or "b") if match else None
    if match is None or factor is None:
        raise ValueError(f"'{text}' is no size: write bytes, or a number with KiB, MiB, GiB or TiB (64MiB)")
    return int(match[1]) * int(factor)


def show_size(size: int) -> str:
    """Return a size in the largest unit that leaves a whole number before the point: ``255.9 MiB``."""
    value, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if abs(value) < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    text = f"{value:.1f}".removesuffix(".0")
    return f"{text} {unit}"


def size_callback(context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """Make bytes of an option or argument that takes a size; what was not given stays None."""
    if text is None:
        return None
    try:
        return parse_size(text)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error
