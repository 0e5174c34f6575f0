"""The driver as a program."""

import sys
from collections.abc import Sequence

from csiproxy.client import connect
from csiproxy.csi import v1_pb2
from csiproxy.errors import CsiProxyError
from csiproxy.node.plugin import program as plugin
from csiproxy.testing.csi_driver.controller import Controller
from csiproxy.testing.csi_driver.settings import PROGRAM, parse
from csiproxy.testing.csi_driver.volumes import Volumes


def main(argv: Sequence[str]) -> int:
    """Run the driver; ``argv`` are its flags.  Return the exit code."""
    try:
        settings = parse(argv)
        volumes = Volumes(settings.images, settings.nodes, settings.capacity)
        named = v1_pb2.DESCRIPTOR.services_by_name
        with connect(settings.plugin.proxy or settings.images) as client:
            services = dict(
                plugin.services(
                    settings.plugin, client, (v1_pb2.PluginCapability.Service.CONTROLLER_SERVICE,)
                )
            )
            if settings.plugin.proxy is None:
                del services[named["Node"]]
            services[named["Controller"]] = Controller(volumes)
            return plugin.run(PROGRAM, settings.plugin, services)
    except (OSError, CsiProxyError, ValueError) as error:
        sys.stderr.write(f"{PROGRAM}: {error}\n")
        return 1
    except SystemExit as finished:  # argparse has said what there is to say
        return finished.code if isinstance(finished.code, int) else 1
