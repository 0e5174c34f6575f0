"""The emulated node keeps every promise of the port's Win32 half."""

import os

from tests.host import win32_promises
from tests.host.win32_promises import Ground


@win32_promises.every_promise()
def test_the_emulated_node_keeps_it(ground, keep):
    os.makedirs(ground.host("base"))
    keep(Ground(ground.win32, r"C:\base", ground.host("base")))
