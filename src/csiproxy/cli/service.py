"""``csi-proxy emulator service``: the Windows services of the node."""

import click

from csiproxy.cli.node_control import control
from csiproxy.cli.output import Output, output_option, table
from csiproxy.cli.places import node_directory, state_option
from csiproxy.emulator.inventory import START_MODES


@click.group("service")
def service() -> None:
    """List the node's Windows services, start and stop them, and change when they start.

    \b
      csi-proxy emulator service list --state /tmp/node
      csi-proxy emulator service start --state /tmp/node MSiSCSI
      csi-proxy emulator service set --state /tmp/node MSiSCSI Disabled
    """


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
        node.set_start_mode(name, start_mode)
    output.done(f"service {name} starts: {start_mode}", name=name, start_mode=start_mode)


@service.command("start")
@state_option
@click.argument("name")
@output_option
@click.pass_obj
def start(output: Output, name: str, state: str | None, host: str | None) -> None:
    """Start a service and what it needs; one that runs is left as it is."""
    with control(node_directory(state, host)) as node:
        node.switch_service(name, running=True)
    output.done(f"service {name} was told to start", name=name, running=True)


@service.command("stop")
@state_option
@click.argument("name")
@output_option
@click.pass_obj
def stop(output: Output, name: str, state: str | None, host: str | None) -> None:
    """Stop a service; one that others need is refused while they run."""
    with control(node_directory(state, host)) as node:
        node.switch_service(name, running=False)
    output.done(f"service {name} was told to stop", name=name, running=False)
