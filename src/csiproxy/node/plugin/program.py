"""The node plugin as a program: services put together on a socket."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from google.protobuf.descriptor import ServiceDescriptor

from csiproxy.client import Client, VolumeStats, connect
from csiproxy.csi import address, v1_pb2
from csiproxy.csi.process import Ending, serve, write_ready
from csiproxy.csi.serving import server
from csiproxy.errors import CsiProxyError
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.disk_source import DiskSource
from csiproxy.node.plugin.identity import Identity
from csiproxy.node.plugin.iscsi_source import IscsiSource
from csiproxy.node.plugin.node import Node
from csiproxy.node.plugin.records import Records
from csiproxy.node.plugin.settings import Settings, parse
from csiproxy.node.plugin.smb_source import SmbSource
from csiproxy.node.plugin.source import SourceKind
from csiproxy.node.plugin.usage import ShareUsage

Services = Mapping[ServiceDescriptor, object]


def main(argv: Sequence[str]) -> int:
    """Run the plugin; ``argv`` are its flags.  Return the exit code."""
    try:
        settings = parse(argv)
        with connect(settings.proxy) as client:
            return run("csi-proxy node-plugin", settings, services(settings, client))
    except (OSError, CsiProxyError, ValueError) as error:
        sys.stderr.write(f"csi-proxy node-plugin: {error}\n")
        return 1
    except SystemExit as finished:  # argparse has said what there is to say
        return finished.code if isinstance(finished.code, int) else 1


def services(
    settings: Settings,
    client: Client,
    more: tuple["v1_pb2.PluginCapability.Service.Type", ...] = (),
) -> Services:
    """Identity and Node; ``more`` are the services that are served beside them."""
    if settings.info.topology:
        more = (*more, v1_pb2.PluginCapability.Service.VOLUME_ACCESSIBILITY_CONSTRAINTS)
    records = Records(settings.state)
    sources: Mapping[Kind, SourceKind] = {
        Kind.DISK: DiskSource(),
        Kind.SMB: SmbSource(records),
        Kind.ISCSI: IscsiSource(records),
    }
    named = v1_pb2.DESCRIPTOR.services_by_name
    return {
        named["Identity"]: Identity(settings.driver, client, more),
        named["Node"]: Node(client, records, sources, settings.info, _share_usage(settings.drive_c)),
    }


def run(program: str, settings: Settings, serving: Services) -> int:
    """Serve until the end; return the exit code."""
    ending = Ending()
    running = server(serving, sys.stderr)
    running.add(address.listen(settings.socket, settings.driver))

    def announce() -> None:
        sys.stdout.write(f"ready: {program} at {settings.socket}, process {os.getpid()}\n")
        sys.stdout.flush()
        write_ready(settings.ready_fd)

    return serve(running, ending, announce)


def _share_usage(drive_c: str | None) -> ShareUsage:
    """Measure a share as any process can that sees drive C:.  Elsewhere nothing is measured."""

    def measure(path: str) -> VolumeStats | None:
        where = path if sys.platform == "win32" else _on_host(drive_c, path)
        if where is None:
            return None
        try:
            found = shutil.disk_usage(where)
        except OSError:
            return None
        return VolumeStats(found.total, found.total - found.free)

    return measure


def _on_host(drive_c: str | None, path: str) -> str | None:
    if drive_c is None:
        return None
    return os.path.join(drive_c, *(name for name in path[2:].split("\\") if name not in ("", ".", "..")))
