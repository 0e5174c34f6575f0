"""``csi-proxy testing``."""

import click

from csiproxy.cli.testing.csi_driver import csi_driver
from csiproxy.cli.testing.node_sim import node_sim


@click.group("testing")
def command() -> None:
    """Stand-ins for what surrounds a CSI driver, over emulated nodes.  For tests and demonstrations."""


command.add_command(csi_driver)
command.add_command(node_sim)
