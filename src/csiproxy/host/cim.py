"""The CIM half of the port: instances, associations and methods of the Windows storage classes.

https://learn.microsoft.com/windows-hardware/drivers/storage/windows-storage-management-api-portal

A condition is structured (property name and value), never query text, so nothing from a request can
become part of a query.  Method parameters are always named: their positions differ between Windows
releases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Union

STORAGE = r"Root\Microsoft\Windows\Storage"
SMB = r"Root\Microsoft\Windows\SMB"
CIMV2 = r"Root\CIMV2"

# The storage namespace holds the iSCSI classes too; what is not listed here is in it.
NAMESPACES = {
    "MSFT_SmbGlobalMapping": SMB,
    "Win32_Service": CIMV2,
    "Win32_DependentService": CIMV2,
    "Win32_BIOS": CIMV2,
    "CIM_BIOSElement": CIMV2,
    "Win32_PageFileUsage": CIMV2,
    "Win32_OSRecoveryConfiguration": CIMV2,
}


def namespace_of(class_name: str) -> str:
    """The WMI namespace that a class lives in."""
    return NAMESPACES.get(class_name, STORAGE)


# uint8 to uint64 and sint* are int, whatever their VARIANT type; char16 is int, as WMI says it; NULL is None.
Value = Union[None, bool, int, str, tuple["Value", ...], "Instance"]


@dataclass(frozen=True, slots=True)
class Instance:
    """One CIM object as it was when it was read.

    ``key`` is the value of its key property (ObjectId for the storage classes) and names the object to
    the host again; ``properties`` holds what was read, NULL as None.
    """

    class_name: str
    key: str
    properties: Mapping[str, Value]

    def text(self, name: str) -> str:
        """A string property; NULL and missing are ``""``."""
        value = self.properties.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """An integer property; NULL and missing are 0."""
        value = self.properties.get(name)
        return value if isinstance(value, int) else 0

    def flag(self, name: str) -> bool:
        """A boolean property; NULL and missing are False."""
        return self.properties.get(name) is True

    def numbers(self, name: str) -> tuple[int, ...]:
        """An array of integers; NULL and missing are empty."""
        value = self.properties.get(name)
        return tuple(item for item in value if isinstance(item, int)) if isinstance(value, tuple) else ()

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of strings; NULL and missing are empty."""
        value = self.properties.get(name)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a method gave: its return value and its out parameters (ExtendedStatus among them)."""

    return_value: int
    out: Mapping[str, Value]

    def number(self, name: str) -> int:
        """An integer out parameter; NULL and missing are 0."""
        value = self.out.get(name)
        return value if isinstance(value, int) else 0

    def instance(self, name: str) -> Instance | None:
        """An embedded object; NULL and missing are None."""
        value = self.out.get(name)
        return value if isinstance(value, Instance) else None


class Session(Protocol):
    """A connection to the node's CIM server.  Safe to use from several threads.

    Every method raises :class:`~csiproxy.errors.CimError` when the operation itself fails and
    :class:`~csiproxy.errors.HostUnreachable` when there is no server.  Names of properties and parameters are
    the host's, so the methods' own parameters before them are known by their place alone.
    """

    def instances(self, class_name: str, /, **where: bool | int | str) -> list[Instance]:
        """All instances of a class whose properties equal all of ``where`` (text ignoring case)."""
        ...

    def associated(
        self, instance: Instance, association: str, result_class: str, result_role: str = ""
    ) -> list[Instance]:
        """Objects of ``result_class`` joined to ``instance`` by ``association``; empty when it is gone.

        ``result_role`` names the end of the association that the results are (``Dependent``); it matters
        where both ends are of the same class.
        """
        ...

    def invoke(self, target: Instance | str, method: str, /, **parameters: Value) -> Result:
        """Call a method of an instance, or a static one of the class named.  None means "not given".

        An instance that has gone since it was read gives return value 8 for the storage classes ("object
        not found"), as Windows does.
        """
        ...
