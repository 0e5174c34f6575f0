"""``csi-proxy emulator smb-server``: where the servers are whose shares the node maps."""

from dataclasses import asdict

import click

from csiproxy.cli.node_control import control
from csiproxy.cli.output import Output, output_option, table
from csiproxy.cli.places import node_directory, state_option
from csiproxy.emulator.inventory import SmbServerReport


def places_callback(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[SmbServerReport, ...]:
    """Read the values of an option that gives places of servers."""
    from csiproxy.emulator.smb_servers import parse

    try:
        return tuple(parse(text) for text in value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


def place_callback(context: click.Context, parameter: click.Parameter, value: str) -> SmbServerReport:
    """Read an argument that gives the place of a server."""
    return places_callback(context, parameter, (value,))[0]


@click.group("smb-server")
def smb_server() -> None:
    """Say where the SMB servers are that shares are named by.

    \b
      csi-proxy emulator smb-server set --state /tmp/node files=127.0.0.1:1445
      csi-proxy emulator smb-server list --state /tmp/node

    A name without a place here is the network's, at port 445.  What is mapped already stays as it is.
    """


@smb_server.command("set")
@state_option
@click.argument("place", metavar="NAME=HOST:PORT", callback=place_callback)
@output_option
@click.pass_obj
def set_place(output: Output, place: SmbServerReport, state: str | None, host: str | None) -> None:
    """Let a name mean the server at HOST:PORT."""
    with control(node_directory(state, host)) as node:
        node.set_smb_server(place.name, place.host, place.port)
    output.done(f"server {place.name} is at {place.host} port {place.port}", **asdict(place))


@smb_server.command("remove")
@state_option
@click.argument("name")
@output_option
@click.pass_obj
def remove_place(output: Output, name: str, state: str | None, host: str | None) -> None:
    """Let a name be the network's again."""
    with control(node_directory(state, host)) as node:
        node.remove_smb_server(name)
    output.done(f"server {name} is looked up in the network", name=name)


@smb_server.command("list")
@state_option
@output_option
@click.pass_obj
def list_places(output: Output, state: str | None, host: str | None) -> None:
    """List the servers that were given a place."""
    with control(node_directory(state, host)) as node:
        found = node.smb_servers()
    rows = [(one.name, one.host, str(one.port)) for one in found]
    output.result(
        [asdict(one) for one in found],
        lambda screen: screen.print(table(("NAME", "HOST", "PORT"), rows, right=("PORT",))),
    )
