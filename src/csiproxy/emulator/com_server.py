r"""A program under Wine that stands in for WMI: ``WbemScripting.SWbemLocator`` on an emulated node.

While it runs, whoever asks COM for that name gets this program's objects, which relay to the node through its
entrance.  The class id of Wine's own locator is left alone, so Wine's WMI stays within reach.  When the
program is killed, the name leads nowhere until it is started again.
"""

import sys
from collections.abc import Callable
from contextlib import ExitStack

from csiproxy.emulator.entering import enter
from csiproxy.emulator.swbem import Locator
from csiproxy.errors import HostError

if sys.platform == "win32":
    import ctypes
    import time
    import uuid
    import winreg

    from csiproxy.emulator.com_gateway import serving

    NAMES = ("WbemScripting.SWbemLocator", "WbemScripting.SWbemLocator.1")
    WINES_OWN = "{76A64158-CB41-11D1-8B02-00600806D9B6}"
    _CLASSES = r"Software\Classes"
    _LONG = 3600.0

    def run(token_file: str, ready: Callable[[], object] = lambda: None) -> None:
        """Serve until Ctrl-C, or until its process is ended; HostError when it cannot.

        ``ready`` is called once programs get its objects.
        """
        if not hasattr(ctypes.windll.ntdll, "wine_get_version"):
            raise HostError("this is Windows itself, whose WMI nobody should replace: run it under Wine")
        session = enter(token_file).cim
        # A class of its own at each start: Wine goes on to look for a class' first program after that was
        # killed, and never finds the second.
        class_id = f"{{{uuid.uuid4()}}}".upper()
        with serving(class_id, lambda: Locator(session)), ExitStack() as end:
            for name in NAMES:
                end.callback(_put, rf"{name}\CLSID", WINES_OWN)
                _put(rf"{name}\CLSID", class_id)
            try:
                ready()
                while True:
                    time.sleep(_LONG)  # unlike a lock on Windows, it lets Ctrl-C through
            except KeyboardInterrupt:
                return

    def _put(key: str, value: str) -> None:
        with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{_CLASSES}\{key}") as opened:
            winreg.SetValueEx(opened, None, 0, winreg.REG_SZ, value)

else:

    def run(token_file: str, ready: Callable[[], object] = lambda: None) -> None:  # noqa: ARG001
        """There is no COM here."""
        raise HostError("the stand-in for WMI is a Windows program: run it with a Windows Python under Wine")
