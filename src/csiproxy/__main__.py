"""``python -m csiproxy`` is the command ``csi-proxy``."""

import sys

from csiproxy.cli import main

if __name__ == "__main__":
    sys.exit(main())
