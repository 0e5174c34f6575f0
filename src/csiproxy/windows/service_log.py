r"""Where the service logs when nobody says where: ``C:\ProgramData\csi-proxy\csi-proxy.log``."""

import os
import sys
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.windows import data_folder

_FILE: Final = "csi-proxy.log"


def prepare() -> str:
    """Make the folder and give the file's path.  Raise OSError, also when others may change the folder."""
    return os.path.join(data_folder.prepare(), _FILE)
