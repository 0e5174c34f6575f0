"""The flags of ``csi-proxy testing csi-driver``: the node plugin's, and where volumes and nodes are."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from csiproxy.node import flags
from csiproxy.node.plugin import settings as plugin

PROGRAM: Final = "csi-proxy testing csi-driver"
GIB: Final = 1 << 30
_DESCRIPTION = """\
Serve a whole CSI driver over emulated nodes: Identity and Controller, and Node where --proxy-endpoints says
whose. Volumes are disk images. For tests and demonstrations."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked for; ``nodes`` are directories of emulated nodes by the nodes' ids."""

    plugin: plugin.Settings
    images: str
    nodes: dict[str, str]
    capacity: int


def parse(argv: Sequence[str]) -> Settings:
    """Read the flags; SystemExit 1 after saying what is wrong, 0 after ``--help``."""
    parser = plugin.parser(PROGRAM, _DESCRIPTION)
    parser.add_argument("--images", required=True, metavar="DIR", help="where the volumes' images are")
    parser.add_argument(
        "--node",
        type=_node,
        action="append",
        default=[],
        metavar="ID=DIR",
        help="an emulated node that volumes can be attached to; may be repeated",
    )
    parser.add_argument(
        "--capacity",
        type=_capacity,
        default=1024 * GIB,
        metavar="GIB",
        help="what all volumes together may have, in GiB; default: 1024",
    )
    given = parser.parse_args(flags.two_dashes(argv))
    return Settings(plugin.settings(given), given.images, dict(given.node), given.capacity)


def _node(text: str) -> tuple[str, str]:
    name, equals, directory = text.partition("=")
    if not name or not equals or not directory:
        raise argparse.ArgumentTypeError(f"'{text}' is no node: write ID=DIR, DIR being the node's directory")
    return name, directory


def _capacity(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 7):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of GiB")
    return int(text) * GIB
