"""The flags of ``csi-proxy node-plugin``."""

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from csiproxy.errors import InvalidArgument
from csiproxy.node import flags
from csiproxy.node.plugin.identity import checked_name
from csiproxy.node.plugin.node import NodeInfo
from csiproxy.version import __version__

DRIVER: Final = "csi-proxy.example"
LONGEST_NODE_ID: Final = 256
"""Bytes of a node's id, CSI's limit for it."""
_SEGMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9./_-]{0,126})=([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)")

_DESCRIPTION = """\
Serve CSI's Identity and Node services on a unix socket, until SIGTERM. Volumes are disks, SMB shares or iSCSI
targets, as their context says; all that is done with them goes through csi-proxy."""

_EPILOG = """
example:
  csi-proxy node-plugin --endpoint=unix:///csi/csi.sock --node-id=node-1 --proxy-endpoints=/run/csi-proxy"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator asked for.

    ``socket`` is where the plugin serves; ``state`` the directory of what it has to remember; ``proxy`` the
    directory of the proxy's sockets, None for named pipes or the environment's; ``drive_c`` the directory
    that holds drive C:, None where it cannot be seen.
    """

    driver: str
    socket: str
    state: str
    proxy: str | None
    drive_c: str | None
    info: NodeInfo
    ready_fd: int | None


def parse(argv: Sequence[str]) -> Settings:
    """Read the flags; SystemExit 1 after saying what is wrong, 0 after ``--help`` or ``--version``."""
    given = parser().parse_args(flags.two_dashes(argv))
    return settings(given)


def settings(given: argparse.Namespace) -> Settings:
    """What parsed flags say."""
    directory = os.path.dirname(os.path.abspath(given.endpoint))
    return Settings(
        driver=given.driver_name,
        socket=given.endpoint,
        state=given.state_dir or os.path.join(directory, "state"),
        proxy=given.proxy_endpoints,
        drive_c=given.drive_c,
        info=NodeInfo(given.node_id, given.max_volumes, dict(given.topology)),
        ready_fd=given.ready_fd,
    )


def parser(program: str = "csi-proxy node-plugin", description: str = _DESCRIPTION) -> flags.Parser:
    """The parser of these flags."""
    made = flags.parser(program, description, _EPILOG if program.endswith("node-plugin") else "")
    add = made.add_argument
    add(
        "--endpoint",
        type=flags.address,
        default=os.environ.get("CSI_ENDPOINT", ""),
        required="CSI_ENDPOINT" not in os.environ,
        metavar="ADDRESS",
        help="where to serve (unix:///csi/csi.sock) [environment: CSI_ENDPOINT]",
    )
    add(
        "--node-id",
        type=_node_id,
        default=os.environ.get("KUBE_NODE_NAME", ""),
        required="KUBE_NODE_NAME" not in os.environ,
        metavar="ID",
        help="what the storage system calls this node [environment: KUBE_NODE_NAME]",
    )
    add("--driver-name", type=_driver, default=DRIVER, metavar="NAME", help=f"default: {DRIVER}")
    add(
        "--proxy-endpoints",
        metavar="DIR",
        help="directory of csi-proxy's socket files; default: CSI_PROXY_ENDPOINTS, on Windows named pipes",
    )
    add(
        "--state-dir",
        metavar="DIR",
        help="where to remember which volumes are on this node; default: 'state' beside the socket",
    )
    add(
        "--drive-c",
        metavar="DIR",
        help="the directory that holds drive C:, where this process sees it; shares are measured through it",
    )
    add(
        "--topology",
        type=_segment,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="where the node stands; may be repeated",
    )
    add("--max-volumes", type=_count, default=0, metavar="N", help="volumes this node can have; 0: no limit")
    add("--ready-fd", type=int, metavar="N", help="write READY to this descriptor once calls are answered")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    flags.add_logging_flags(made)
    return made


def _driver(text: str) -> str:
    try:
        return checked_name(text)
    except InvalidArgument as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _node_id(text: str) -> str:
    if not 0 < len(text.encode("utf-8", "replace")) <= LONGEST_NODE_ID:
        raise argparse.ArgumentTypeError(f"a node's id has 1 to {LONGEST_NODE_ID} bytes")
    return text


def _segment(text: str) -> tuple[str, str]:
    found = _SEGMENT.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is no place: write topology.example/zone=z1")
    return found[1], found[2]


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of volumes")
    return int(text)
