"""``csi-proxy emulator service``: the Windows services of the node."""

import click

from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.node_control import control
from csiproxy.cli.output import Output, output_option, table
from csiproxy.cli.places import node_directory, state_option

START_MODES = ("Boot", "System", "Auto", "Manual", "Disabled")


@click.group("service")
def service() -> None:
    """List the node's Windows services, and change when they start."""


@service.command("list")
@state_option
@output_option
@click.pass_obj
def list_services(output: Output, state: str | None, host: str | None) -> None:
    """List the services with their states."""
    with control(node_directory(state, host)) as node:
        found = node.services()
    plain = [
        {"name": one.name, "display_name": one.display_name, "start_mode": one.start_mode, "state": one.state}
        for one in found
    ]
    rows = [tuple(row.values()) for row in plain]
    output.result(plain, lambda screen: screen.print(table(("NAME", "DISPLAY NAME", "START", "STATE"), rows)))


@service.command("set")
@state_option
@click.argument("name")
@click.argument("start_mode", type=click.Choice(START_MODES, case_sensitive=False))
@output_option
@click.pass_obj
def set_start_mode(output: Output, name: str, start_mode: str, state: str | None, host: str | None) -> None:
    """Change when a service starts; Disabled ones do not start at all."""
    with control(node_directory(state, host)) as node:
        if name.lower() not in (one.name.lower() for one in node.services()):
            raise Failure(
                Problem(f"the node has no service {name}", next_step="csi-proxy emulator service list")
            )
        node.set_start_mode(name, start_mode)
    output.done(f"service {name} starts: {start_mode}", name=name, start_mode=start_mode)
