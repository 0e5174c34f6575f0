"""``csi-proxy emulator memory-file``: where the node has its page files and its crash dump."""

import click

from csiproxy.cli.node_control import control
from csiproxy.cli.output import Output, output_option
from csiproxy.cli.places import node_directory, state_option


@click.group("memory-file")
def memory_file() -> None:
    r"""Put Windows' page files and crash dump on a drive; they are names that its classes show.

    \b
      csi-proxy emulator memory-file page --state /tmp/node 'C:\pagefile.sys' 'D:\pagefile.sys'
      csi-proxy emulator memory-file dump --state /tmp/node 'D:\MEMORY.DMP'
    """


@memory_file.command("page")
@state_option
@click.argument("paths", nargs=-1)
@output_option
@click.pass_obj
def page(output: Output, paths: tuple[str, ...], state: str | None, host: str | None) -> None:
    """Let these be all page files; none is legal."""
    with control(node_directory(state, host)) as node:
        node.put_page_files(paths)
    output.done(f"page files: {', '.join(paths) or 'none'}", page_files=", ".join(paths))


@memory_file.command("dump")
@state_option
@click.argument("path")
@output_option
@click.pass_obj
def dump(output: Output, path: str, state: str | None, host: str | None) -> None:
    """Let crashes be dumped into this file."""
    with control(node_directory(state, host)) as node:
        node.put_dump(path)
    output.done(f"crashes are dumped into {path}", path=path)
