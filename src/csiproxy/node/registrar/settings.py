"""The flags of ``csi-proxy registrar``: those of node-driver-registrar, with their defaults."""

import argparse
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from csiproxy.node import flags
from csiproxy.version import __version__

_DESCRIPTION = """\
Introduce a CSI plugin to kubelet: serve the registration socket that kubelet's plugin watcher finds, until
SIGTERM. Ends with exit code 1 when kubelet does not take the plugin, so that it is started again."""

_EPILOG = r"""
example:
  csi-proxy registrar --csi-address=unix://C:\csi\csi.sock
      --kubelet-registration-path=C:\var\lib\kubelet\plugins\disk.csi.example\csi.sock"""

PROBE_MODE = "kubelet-registration-probe"


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """Where the health endpoint is; ``host`` is empty for every address of the machine."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator asked for.

    ``csi_socket`` is the driver's socket file; ``registration_directory`` where kubelet looks;
    ``kubelet_registration_path`` the driver's socket as kubelet reaches it, passed on as it is; ``timeout``
    the seconds of a call to the driver; ``probe`` means to end at once, without a word.
    """

    csi_socket: str
    registration_directory: str
    kubelet_registration_path: str
    timeout: float
    http: HttpAddress | None
    probe: bool
    ready_fd: int | None


def parse(argv: Sequence[str]) -> Settings:
    """Read the flags; SystemExit 1 after saying what is wrong, 0 after ``--help`` or ``--version``."""
    parser = _parser()
    given = parser.parse_args(flags.two_dashes(argv))
    probe = given.mode == PROBE_MODE
    if not given.kubelet_registration_path and not probe:
        parser.error(
            "--kubelet-registration-path is missing: give the path of the driver's socket as kubelet sees it"
        )
    if given.health_port and given.http_endpoint:
        parser.error("--http-endpoint and --health-port exclude each other: leave --health-port out")
    return Settings(
        csi_socket=given.csi_address,
        registration_directory=given.plugin_registration_path,
        kubelet_registration_path=given.kubelet_registration_path,
        timeout=given.timeout,
        http=given.http_endpoint or (HttpAddress("", given.health_port) if given.health_port else None),
        probe=probe,
        ready_fd=given.ready_fd,
    )


def _parser() -> flags.Parser:
    parser = flags.parser("csi-proxy registrar", _DESCRIPTION, _EPILOG)
    add = parser.add_argument
    add(
        "--csi-address",
        type=flags.address,
        default="/run/csi/socket",
        metavar="ADDRESS",
        help="the driver's socket (unix:///csi/csi.sock); default: /run/csi/socket",
    )
    add(
        "--kubelet-registration-path",
        default="",
        metavar="PATH",
        help="the same socket as kubelet reaches it; kubelet is told this text as it is; required",
    )
    add(
        "--plugin-registration-path",
        default="/registration",
        metavar="DIR",
        help="the directory that kubelet watches, as it is mounted here; default: /registration",
    )
    add(
        "--timeout",
        type=flags.duration,
        default=1.0,
        metavar="DURATION",
        help="how long the driver may take to answer a call; default: 1s",
    )
    add(
        "--http-endpoint",
        type=_http_address,
        metavar="HOST:PORT",
        help="serve /healthz there, which asks the registration socket; default: nowhere",
    )
    add("--health-port", type=_port, metavar="PORT", help="deprecated: --http-endpoint=:PORT")
    add("--connection-timeout", metavar="DURATION", help="deprecated, without effect")
    add(
        "--mode",
        choices=("registration", PROBE_MODE),
        default="registration",
        help=f"deprecated: {PROBE_MODE} ends at once with success, as nothing has to be probed any more",
    )
    add("--ready-fd", type=int, metavar="N", help="write READY to this descriptor once kubelet may call")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    flags.add_logging_flags(parser)
    return parser


def _port(text: str) -> int:
    port = int(text) if re.fullmatch(r"[0-9]{1,5}", text) else 0
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"'{text}' is no TCP port from 1 to 65535")
    return port


def _http_address(text: str) -> HttpAddress:
    host, colon, port = text.rpartition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"'{text}' is no address: write :9809 or 127.0.0.1:9809")
    host = host.removeprefix("[").removesuffix("]")
    if host and host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise argparse.ArgumentTypeError(f"'{host}' is no IP address: write :9809") from None
    return HttpAddress(host, _port(port))
