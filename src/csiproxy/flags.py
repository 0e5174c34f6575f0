"""The flags of ``csi-proxy serve``, and what they make of themselves."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

from csiproxy import audit_flags, klog
from csiproxy.auditing import AuditSettings
from csiproxy.klog import Log
from csiproxy.operations.configuration import STORAGE_SERVICES, Configuration
from csiproxy.operations.rail import LIFTABLE
from csiproxy.rpc.limits import Limits

_KUBELET_PATH = r"C:\var\lib\kubelet"
_EMULATOR = "emulator:"
_STANDARD_STREAMS = 3
_LIMITS = Limits()
_ON_WINDOWS = sys.platform == "win32"

_DESCRIPTION = """\
Serve the storage operations of a Windows node to CSI node plugins, until SIGTERM or SIGINT.

Every version of every API group has an endpoint of its own. Endpoints that another csi-proxy serves already
are left to it, so two releases can run side by side."""

_EPILOG = """\
examples:
  csi-proxy serve --host emulator:/tmp/node
  csi-proxy serve --host emulator:/tmp/node --serve 'disk/*,volume/*' --audit-log /var/log/csi-proxy.jsonl

Flags may also be written with one dash, as Go programs do (-kubelet-path=D:\\kubelet). The log flags of Go
programs are taken, too: -logtostderr=false -log_file=FILE (or -log_dir=DIR) [-alsologtostderr]
[-log_file_max_size=MEGABYTES, default 64; three full files are kept]; others, like -v=5, have no effect."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator asked for.

    ``emulator`` is the state directory of the emulated node (or the file that opens its entrance), "" for
    this machine itself, ``volumes`` its store of volumes where it is started here and that is not what it was
    before; ``endpoints`` the directory of the socket files; ``pipe_sddl`` who may connect to the
    pipes of Windows, "" for the default; ``event_log`` whether the event log of Windows is told, too;
    ``metrics`` where metrics are served, "" for nowhere; ``drop_privileges`` whether rights that serving does
    not need are given up; ``ready_fd`` a descriptor or None; ``grace`` the
    seconds that running calls have at the end; ``limits`` what a caller gets.  ``warnings`` are for the
    operator.
    """

    emulator: str
    volumes: str | None
    endpoints: str
    serve: tuple[str, ...]
    no_serve: tuple[str, ...]
    configuration: Configuration
    audit: AuditSettings
    event_log: bool
    log: Log
    metrics: str
    pipe_sddl: str
    windows_service: bool
    drop_privileges: bool
    ready_fd: int | None
    grace: float
    limits: Limits
    warnings: tuple[str, ...]


def parse(argv: Sequence[str]) -> Settings:
    """Read the flags behind ``serve``; SystemExit 2 after saying what is wrong, 0 after ``--help``."""
    parser = _parser()
    try:
        taken = klog.take(argv)
    except klog.BadFlag as error:
        parser.error(str(error))
    given = parser.parse_args([_two_dashes(argument) for argument in taken.rest])
    kubelet_path: str = given.kubelet_path
    emulator: str = given.host or ""
    return Settings(
        emulator=emulator,
        volumes=given.volumes,
        endpoints=given.endpoints or os.path.join(emulator, "endpoints"),
        serve=_patterns(given.serve),
        no_serve=_patterns(given.no_serve),
        configuration=Configuration(
            kubelet_path=kubelet_path,
            working_dirs=tuple(given.working_dir),
            csi_plugins_path=given.kubelet_csi_plugins_path or kubelet_path + r"\plugins\kubernetes.io\csi",
            pod_path=given.kubelet_pod_path or kubelet_path + r"\pods",
            allow_reformat=given.allow_reformat,
            allow_services=(*STORAGE_SERVICES, *given.allow_service),
            require_privacy=given.require_privacy,
            lifted_rails=_patterns(given.lift_rail),
            dry_run=given.dry_run,
        ),
        audit=audit_flags.settings(given),
        event_log=given.event_log,
        log=taken.log,
        metrics=given.metrics_bind_address,
        pipe_sddl=given.pipe_sddl,
        windows_service=given.windows_service,
        drop_privileges=given.drop_privileges,
        ready_fd=given.ready_fd,
        grace=given.grace,
        limits=Limits(
            connections_per_client=given.caller_connections,
            queued_calls_per_client=given.caller_calls,
            calls_per_client=10 * given.caller_rate,
            calls_per_second_per_client=given.caller_rate,
        ),
        warnings=taken.warnings,
    )


@cache
def _columns() -> int:
    """How wide the terminal is."""
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size().columns)
    except (ValueError, OSError):
        return 80


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal.  By itself it would load shutil to learn how wide, for every flag."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the whole usage would bury it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="csi-proxy serve",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    _add_node_flags(parser)
    _add_path_flags(parser)
    _add_smb_flags(parser)
    _add_rail_flags(parser)
    audit_flags.add(parser)
    _add_running_flags(parser)
    return parser


def _add_node_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is served, and where")
    group.add_argument(
        "--host",
        type=_host,
        required=not _ON_WINDOWS,
        metavar="emulator:DIR",
        help="the node whose storage is managed: the emulated Windows node that keeps its state in DIR, "
        "which is started when it does not run yet, or whose entrance is opened by the file DIR; "
        "default on Windows: this machine",
    )
    group.add_argument(
        "--volumes",
        choices=("directory", "image"),
        help="where a node that is started here keeps the files of its volumes: beside the disks' images, or "
        "in real file systems inside them (Linux, as root); default: as it did before, at first directory",
    )
    group.add_argument(
        "--endpoints",
        metavar="DIR",
        help="directory of the socket files, one for each endpoint (csi-proxy-disk-v1.sock); made with "
        "access for you alone when missing; default: 'endpoints' in the emulated node's directory; "
        "without effect on Windows, where endpoints are named pipes",
    )
    group.add_argument(
        "--pipe-sddl",
        default="",
        metavar="SDDL",
        help="the security descriptor of the named pipes (Windows): who may connect; default: the system and "
        "administrators, ContainerAdministrator of process-isolated containers among them",
    )
    group.add_argument(
        "--serve",
        action="append",
        default=[],
        metavar="PATTERN[,…]",
        help="serve only these versions: 'disk/v1', 'volume/*', 'csi-proxy/*' (the CSIProxyService); "
        "may be repeated; default: all",
    )
    group.add_argument(
        "--no-serve",
        action="append",
        default=[],
        metavar="PATTERN[,…]",
        help="serve all but these, for example '*/v1alpha1' when no plugin needs old versions any more; "
        "may be repeated",
    )


def _add_path_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where clients may work (Windows paths)")
    group.add_argument(
        "--kubelet-path",
        type=_windows_path,
        default=_KUBELET_PATH,
        metavar="PATH",
        help="kubelet's directory; API groups accept no path outside it, except under a working directory; "
        r"default: C:\var\lib\kubelet",
    )
    group.add_argument(
        "--working-dir",
        type=_windows_path,
        action="append",
        default=[],
        metavar="PATH",
        help="a further directory that API groups may work in; may be repeated",
    )
    group.add_argument(
        "--kubelet-csi-plugins-path",
        "--kubernetes-csi-plugins-path",
        type=_windows_path,
        metavar="PATH",
        help="where CSIProxyService stages volumes; "
        r"default: plugins\kubernetes.io\csi in kubelet's directory",
    )
    group.add_argument(
        "--kubelet-pod-path",
        "--container-runtime-storage-path",
        type=_windows_path,
        metavar="PATH",
        help="where CSIProxyService makes volumes visible to pods; default: pods in kubelet's directory",
    )
    group.add_argument(
        "--allow-service",
        action="append",
        default=[],
        metavar="NAME",
        help="a Windows service that the system group may start and stop, besides those of Windows' storage "
        f"({', '.join(STORAGE_SERVICES)}); may be repeated",
    )
    group.add_argument(
        "--allow-reformat",
        type=_boolean,
        nargs="?",
        const=True,
        default=False,
        metavar="true|false",
        help="let FormatVolume of the volume group erase a file system that is already there, as old "
        "releases did; without it such a request fails and nothing is lost",
    )


def _add_smb_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("SMB")
    group.add_argument(
        "--require-privacy",
        type=_boolean,
        nargs="?",
        const=True,
        default=True,
        metavar="true|false",
        help="map shares for encrypted traffic only, which a server has to be able to; default: true",
    )


def _add_rail_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("guard rails")
    group.add_argument(
        "--lift-rail",
        type=_rails,
        action="append",
        default=[],
        metavar="NAME[,…]",
        help=f"do without a guard rail: {', '.join(LIFTABLE)}; an error says which one stood in the way; "
        "may be repeated",
    )
    group.add_argument(
        "--dry-run",
        type=_boolean,
        nargs="?",
        const=True,
        default=False,
        metavar="true|false",
        help="decide and record every call, and change nothing: a call that would change something fails "
        "and says what",
    )
    group.add_argument(
        "--caller-connections",
        type=_count,
        default=_LIMITS.connections_per_client,
        metavar="N",
        help="connections that one process may have; the one that was idle longest goes for a new one; "
        f"default: {_LIMITS.connections_per_client}",
    )
    group.add_argument(
        "--caller-calls",
        type=_count,
        default=_LIMITS.queued_calls_per_client,
        metavar="N",
        help="calls of one process that may wait, for each kind, while as many of its calls run as may; "
        f"default: {_LIMITS.queued_calls_per_client}",
    )
    group.add_argument(
        "--caller-rate",
        type=_count,
        default=int(_LIMITS.calls_per_second_per_client),
        metavar="N",
        help="calls a second that one process may make for long, and ten times as many in one burst; "
        f"default: {_LIMITS.calls_per_second_per_client:.0f}",
    )


def _add_running_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("running")
    group.add_argument(
        "--event-log",
        type=_boolean,
        nargs="?",
        const=True,
        default=True,
        metavar="true|false",
        help="tell every RPC to the event log of Windows, too (Application, source csi-proxy), of those that "
        "only read about one a second; default: true; without effect on other systems",
    )
    group.add_argument(
        "--metrics-bind-address",
        type=_address,
        default="",
        metavar="HOST:PORT",
        help="serve metrics for Prometheus at http://HOST:PORT/metrics, to whoever can connect; "
        "default: nowhere",
    )
    group.add_argument(
        "--windows-service",
        type=_boolean,
        nargs="?",
        const=True,
        default=False,
        metavar="true|false",
        help="run under the service control manager of Windows, which starts csi-proxy with this flag; "
        "'csi-proxy service install' makes the service",
    )
    group.add_argument(
        "--drop-privileges",
        type=_boolean,
        nargs="?",
        const=True,
        default=True,
        metavar="true|false",
        help="give up, before serving, every privilege of the account that storage does not take (Windows), "
        "or the way to new ones (Linux); default: true",
    )
    group.add_argument(
        "--ready-fd",
        type=_descriptor,
        metavar="N",
        help="once calls are answered, write READY and a line feed to file descriptor N, which you have "
        "opened, and close it",
    )
    group.add_argument(
        "--grace",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="how long running calls may go on after SIGTERM; then they are cancelled; default: 30",
    )


def _two_dashes(argument: str) -> str:
    return f"-{argument}" if re.match(r"-[a-z][a-z-]", argument) else argument


def _patterns(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(pattern.strip() for value in given for pattern in value.split(",") if pattern.strip())


def _host(text: str) -> str:
    directory = text.removeprefix(_EMULATOR)
    if not text.startswith(_EMULATOR) or not directory:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no host: write emulator:DIR, DIR being the node's directory"
        )
    return directory


def _windows_path(text: str) -> str:
    r"""A drive, a backslash and names; one backslash at the end is dropped."""
    if not re.fullmatch(r'[A-Za-z]:(\\[^\\/:*?"<>|\x00-\x1f]+)+\\?', text):
        raise argparse.ArgumentTypeError(
            rf"'{text}' is no absolute Windows path below a drive: write C:\var\lib\kubelet"
        )
    return text.removesuffix("\\")


def _rails(text: str) -> str:
    for name in _patterns([text]):
        if name not in LIFTABLE:
            raise argparse.ArgumentTypeError(
                f"'{name}' is no guard rail that can be lifted: these are {', '.join(LIFTABLE)}"
            )
    return text


def _count(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,8}", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"'{text}' is not a count from 1 to 999999999")
    return int(text)


def _boolean(text: str) -> bool:
    value = klog.boolean(text)
    if value is None:
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return value


def _address(text: str) -> str:
    """``host:port`` as Go writes it: the host may be missing, or an IPv6 address in brackets."""
    host, colon, port = text.rpartition(":")
    plain = host.removeprefix("[").removesuffix("]")
    if text and (
        not colon
        or not re.fullmatch("[0-9]{1,5}", port)
        or int(port) > 65535
        or (":" in plain) != (plain != host)
    ):
        raise argparse.ArgumentTypeError(f"'{text}' is no address: write localhost:8888")
    return text


def _descriptor(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if number < _STANDARD_STREAMS:
        raise argparse.ArgumentTypeError(f"'{text}' is no file descriptor from 3 upwards")
    try:
        os.fstat(number)
    except OSError:
        raise argparse.ArgumentTypeError(
            f"file descriptor {text} is not open: open it before you start csi-proxy"
        ) from None
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds from 0 to 86400")
    return seconds
