"""The command ``csi-proxy``."""

import sys


def main() -> int:
    """Run the command line and return its exit code.

    ``serve`` goes straight to the daemon: what the other commands are made with costs more to import than
    the whole daemon does.
    """
    argv = sys.argv[1:]
    if argv[:1] == ["serve"]:
        from csiproxy import daemon

        return daemon.main(argv[1:])
    from csiproxy.cli import commands

    return commands.main(argv)
