"""What the flags of the programs beside kubelet have in common: they are spelt as Go programs spell them."""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from csiproxy.csi.address import socket_path
from csiproxy.errors import InvalidArgument

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
LONGEST_SECONDS = 86400.0


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with exit code 1 as the Go programs have it."""

    def error(self, message: str) -> NoReturn:
        """Say it and end."""
        self.exit(1, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser(program: str, description: str, epilog: str) -> Parser:
    """A parser for the flags of a program."""
    return Parser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_logging_flags(to: argparse.ArgumentParser) -> None:
    """Accept the verbosity that every manifest passes; what is logged does not depend on it."""
    to.add_argument("--v", "-v", type=int, default=0, metavar="N", help="accepted for manifests' sake")


def two_dashes(argv: Sequence[str]) -> list[str]:
    """Spell ``-csi-address=…`` as ``--csi-address=…``; Go programs take both."""
    return [f"-{argument}" if re.match(r"-[a-z][a-z-]", argument) else argument for argument in argv]


def duration(text: str) -> float:
    """Read a Go duration (``1s``, ``1m30s``, ``500ms``) as seconds, up to a day."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration: write 1s, 500ms or 1m30s")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not 0 < seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"'{text}' is no duration of more than nothing, up to 24h")
    return seconds


def address(text: str) -> str:
    """Read the address of a unix socket; the path of its file."""
    try:
        return socket_path(text)
    except InvalidArgument as error:
        raise argparse.ArgumentTypeError(str(error)) from error
