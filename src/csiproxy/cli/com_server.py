"""``csi-proxy emulator com-server``: let Windows programs under Wine find an emulated node in WMI."""

import click


@click.command("com-server")
@click.option("--node", required=True, metavar="FILE", help="the token file of a node that runs with --tcp")
def com_server(node: str) -> None:
    r"""Stand in for WMI in a Wine prefix, with the disks and volumes of an emulated node.

    It is a program for a Windows Python under Wine.  While it runs, every program in the prefix that asks for
    WbemScripting.SWbemLocator, whatever language it is written in, gets the node's MSFT_Disk, MSFT_Partition,
    MSFT_Volume and the rest, as on Windows.

    \b
      csi-proxy emulator run --state /tmp/node --tcp 127.0.0.1:0 --token-file /tmp/token
      wine python.exe -m csiproxy emulator com-server --node Z:\tmp\token
    """
    from csiproxy.emulator import com_server

    com_server.run(node, lambda: click.echo(f"ready: WMI's objects come from the node of {node}"))
