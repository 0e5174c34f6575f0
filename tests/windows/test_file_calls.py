"""The fake of Windows' file calls does what Windows does, as far as the adapter relies on it."""

import os

from tests.emulator.conftest import ground  # noqa: F401
from tests.windows import call_promises
from tests.windows.fake_calls import FakeCalls


@call_promises.every_promise
def test_the_fake_keeps_it(ground, keep):  # noqa: F811
    os.makedirs(ground.host("base"))
    calls = FakeCalls(ground.win32)
    keep(calls, r"\??\C:\base")
    assert calls.opened == 0
