"""Where an attached disk goes, and what is made up for what its operator left open."""

from collections.abc import Collection, Container, Mapping
from dataclasses import replace

from csiproxy.emulator.attachment import Place
from csiproxy.errors import Win32Error, WindowsCode
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

# SAM-5's flat addressing of logical units has 14 bits; targets and adapters never get there.
_MAX_PLACE = 16383
_MAX_NUMBER = 0xFFFF
_MAX_TEXT = 64


def free_number(wanted: int | None, taken: Container[int]) -> int:
    """The disk number asked for, or the lowest free one from 1.  Taken: 183."""
    if wanted is None:
        return next(number for number in range(1, _MAX_NUMBER) if number not in taken)
    _check("disk number", wanted, _MAX_NUMBER)
    if wanted in taken:
        raise Win32Error(WindowsCode.ALREADY_EXISTS, "attach", f"there is a disk {wanted} already")
    return wanted


def free_place(wanted: Place, any_lun: bool, taken: Mapping[Place, int]) -> Place:
    """The place asked for, or with ``any_lun`` the lowest free LUN there.  Taken: 183."""
    for name, value in (
        ("adapter", wanted.adapter),
        ("bus", wanted.bus_number),
        ("target", wanted.target),
        ("LUN", wanted.lun),
    ):
        _check(name, value, _MAX_PLACE)
    if any_lun:
        return next(place for lun in range(_MAX_PLACE) if (place := replace(wanted, lun=lun)) not in taken)
    if wanted in taken:
        raise Win32Error(
            WindowsCode.ALREADY_EXISTS,
            "attach",
            f"LUN {wanted.lun} of that target is disk {taken[wanted]} already: choose another",
        )
    return wanted


def unit_place(adapter: int, lun: int, siblings: Collection[Place], taken: Collection[Place]) -> Place:
    """The place of a unit of an iSCSI target: with the target's other units, else at the next target."""
    on_adapter = {place.target for place in taken if place.adapter == adapter}
    free = next(target for target in range(_MAX_PLACE) if target not in on_adapter)
    return Place(adapter, 0, next((place.target for place in siblings), free), lun)


def text(value: str) -> str:
    """A vendor, product or serial number as a disk can have it; else 87."""
    if len(value) > _MAX_TEXT or not value.isprintable():
        raise Win32Error(
            WindowsCode.INVALID_PARAMETER,
            "attach",
            f"vendor, product and serial number have up to {_MAX_TEXT} printable characters",
        )
    return value


def made_up_identifiers(unique: str) -> tuple[StorageIdentifier, ...]:
    """Page 83 of a disk that nobody described: one NAA identifier from 32 hexadecimal digits.

    Its first digit is 6, "IEEE registered extended" (SPC-4 7.8.6.6.5).
    """
    identifier = bytes.fromhex("6" + unique[1:])
    return (StorageIdentifier(CodeSet.BINARY, IdentifierType.FCPH_NAME, Association.DEVICE, identifier),)


def _check(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise Win32Error(
            WindowsCode.INVALID_PARAMETER, "attach", f"the {name} is a number from 0 to {most}, not {value}"
        )
