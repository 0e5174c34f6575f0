"""The port: what a Windows node offers to the storage logic, said in CIM and Win32.

Two adapters implement it, ``csiproxy.windows`` (a real node) and ``csiproxy.emulator`` (an emulated one).
"""

from dataclasses import dataclass

from csiproxy.host.cim import Session
from csiproxy.host.win32 import Win32


@dataclass(frozen=True, slots=True)
class Host:
    """The two halves of one node."""

    cim: Session
    win32: Win32
