"""The adapter for Windows keeps every promise of the port's Win32 half, on calls of an emulated node."""

import os

from tests.emulator.conftest import ground  # noqa: F401
from tests.host import win32_promises
from tests.host.win32_promises import Ground
from tests.windows.adapted import adapted


@win32_promises.every_promise()
def test_the_adapter_keeps_it(ground, keep):  # noqa: F811
    os.makedirs(ground.host("base"))
    keep(Ground(adapted(ground.win32), r"C:\base", ground.host("base")))
