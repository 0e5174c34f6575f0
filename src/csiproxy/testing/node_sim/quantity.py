"""Quantities as Kubernetes writes them: ``5Gi``, ``512Mi``, ``1G``.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from typing import Final

_SUFFIXES: Final = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,9}))?([A-Za-z]{0,2})")


def read(text: str) -> int:
    """Return a quantity in bytes, rounded up; ValueError when it is none."""
    found = _QUANTITY.fullmatch(text)
    if found is None or found[3] not in _SUFFIXES:
        raise ValueError(f"'{text[:32]}' is no quantity: write 5Gi or 512Mi")
    whole, fraction, unit = found[1], found[2] or "", _SUFFIXES[found[3]]
    scale: int = 10 ** len(fraction)
    return -(-int(whole + fraction) * int(unit) // scale)


def show(size: int) -> str:
    """Return a size as the largest binary unit that fits it exactly."""
    for letter in "EPTGMK":
        unit = _SUFFIXES[f"{letter}i"]
        if size and size % unit == 0:
            return f"{size // unit}{letter}i"
    return str(size)
