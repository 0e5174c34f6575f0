"""How near each class of the emulated CIM server comes to Windows', and how that is known.

A class that answers for a CIM class (:class:`~csiproxy.emulator.cim_provider.Provider`: it has ``schema``)
gives its own account beside it::

    class DiskClass:
        schema = schema.MSFT_DISK
        fidelity = Fidelity(
            page="https://learn.microsoft.com/windows-hardware/drivers/storage/msft-disk",
            like=(Point("what is as on Windows, in one sentence", "emulator/test_cim_disk.py", "test_…"),),
            unlike=(Point("what is not", "emulator/test_cim_disk.py", "test_…"),),
        )

``like`` holds at least one point; each point names a test that would fail if it were not so.  What properties
and methods there are is read from the schema, and what Windows has besides from the facts in
``tests/host/wmi``; neither is said again.  ``python tools/generate_docs.py`` makes the tables of
docs/emulator.md of all that, and ``tests/shape/test_fidelity.py`` fails for a class without an account,
and for an account without a page or with a test that does not exist.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass

from csiproxy import emulator
from csiproxy.host.schema import CimClass


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that is so.  ``module`` is a test module below ``tests/``, ``test`` a test in it."""

    text: str
    module: str
    test: str


@dataclass(frozen=True, slots=True)
class Fidelity:
    """A class' account.  ``page`` is Microsoft's; ``like`` and ``unlike`` are points beyond the schema's."""

    page: str
    like: tuple[Point, ...]
    unlike: tuple[Point, ...] = ()


def providers() -> Iterator[type]:
    """Every class of the emulator that answers for a CIM class, in the order of the CIM classes' names."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(emulator.__path__, f"{emulator.__name__}."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            schema = vars(kind).get("schema")
            if kind.__module__ == module.name and isinstance(schema, CimClass):
                found[schema.name] = kind
    return (found[name] for name in sorted(found, key=str.lower))
