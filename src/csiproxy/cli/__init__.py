"""The command ``csi-proxy``."""

import sys

_OF_THE_LIST = ("-h", "--help", "--version")


def _means_serve(argv: list[str]) -> bool:
    if not argv:
        return sys.platform == "win32"
    return argv[0].startswith("-") and argv[0] not in _OF_THE_LIST


def main() -> int:
    """Run the command line and return its exit code.

    ``serve`` goes straight to the daemon: what the other commands are made with costs more to import than
    the whole daemon does.  So does a command line that has only flags, as that of the Go csi-proxy, and on
    Windows one that is empty.
    """
    argv = sys.argv[1:]
    if argv[:1] == ["serve"] or _means_serve(argv):
        from csiproxy import daemon

        return daemon.main(argv[1:] if argv[:1] == ["serve"] else argv)
    from csiproxy.cli import commands

    return commands.main(argv)
