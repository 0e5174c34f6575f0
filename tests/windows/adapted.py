"""The adapter for Windows over an emulated node: everything but Windows' own calls."""

from tests.emulated import EmulatedNode
from tests.windows.fake_calls import FakeCalls, FakeMarks

from csiproxy import operations
from csiproxy.host import Host
from csiproxy.host.win32 import Win32
from csiproxy.storage import Storage
from csiproxy.windows.win32 import WindowsWin32


def adapted(win32: Win32) -> WindowsWin32:
    """The adapter, whose file calls are an emulated node's."""
    return WindowsWin32(FakeCalls(win32), win32.mutex, FakeMarks())


class AdaptedNode(EmulatedNode):
    """An emulated node that is used through the adapter for Windows."""

    def __init__(self, directory, volumes=None) -> None:
        super().__init__(directory, volumes)
        self.host = Host(self.machine.session, adapted(self.machine.win32))
        self.storage = Storage(self.host)

    def operations(self, *, win32: Win32 | None = None, **options) -> operations.Operations:
        return super().operations(win32=win32 or self.host.win32, **options)
