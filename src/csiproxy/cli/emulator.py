"""``csi-proxy emulator``: run an emulated Windows node and change its disks."""

import os
import sys
from dataclasses import asdict

import click

from csiproxy.cli.attach import attach
from csiproxy.cli.com_server import com_server
from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.fault import fault
from csiproxy.cli.letter import letter
from csiproxy.cli.memory_file import memory_file
from csiproxy.cli.node_control import control, start_if_needed
from csiproxy.cli.output import Output, output_option, table
from csiproxy.cli.places import node_directory, state_option
from csiproxy.cli.service import service
from csiproxy.cli.sizes import show_size, size_callback
from csiproxy.cli.smb_server import places_callback, smb_server
from csiproxy.emulator.inventory import SmbServerReport


@click.group("emulator")
def command() -> None:
    """Run an emulated Windows node, and change its disks while it runs.

    \b
      csi-proxy emulator run --state /tmp/node                          in the foreground
      csi-proxy emulator attach --state /tmp/node --create 1GiB /tmp/disk.img
      csi-proxy emulator grow --state /tmp/node 1 2GiB
      csi-proxy emulator list --state /tmp/node

    A node keeps all that it knows in its directory; what is on a disk is in the disk's image.
    """


@command.command("run")
@click.option("--state", required=True, metavar="DIR", help="the node's directory; made when missing")
@click.option("--drive-c", metavar="DIR", help="directory of the host that holds drive C:; default: DIR/c")
@click.option(
    "--smb-server",
    "smb_servers",
    multiple=True,
    callback=places_callback,
    metavar="NAME=HOST:PORT",
    help="where the SMB server of a name is, if it is not at port 445 of that name; may be repeated",
)
@click.option(
    "--smb-files",
    type=click.Choice(["fuse", "none"]),
    help="whether links to shares lead to their files, or nowhere; default: fuse, or as at the last start",
)
@click.option(
    "--volumes",
    type=click.Choice(["directory", "image"]),
    help="where the files of volumes are: beside the disks' images, or in real file systems inside them "
    "(Linux, as root); default: as before, at first directory",
)
@click.option(
    "--tcp",
    metavar="127.0.0.1:PORT",
    help="also listen for Windows programs under Wine, on this host only; port 0 is any free one",
)
@click.option(
    "--token-file",
    metavar="FILE",
    help="with --tcp: a file for you alone, written at the start: where to connect and what to show",
)
@click.option(
    "--ready-fd",
    type=click.IntRange(min=3),
    metavar="N",
    help="once the node answers, write READY and a line feed to file descriptor N, which you have opened",
)
def run(
    state: str,
    drive_c: str | None,
    smb_servers: tuple[SmbServerReport, ...],
    smb_files: str | None,
    volumes: str | None,
    tcp: str | None,
    token_file: str | None,
    ready_fd: int | None,
) -> None:
    """Run a node in the foreground.  SIGTERM, Ctrl-C or 'emulator stop' ends it."""
    from csiproxy.emulator import node
    from csiproxy.emulator.smb_shares import Show
    from csiproxy.emulator.tcp import EntrancePlace
    from csiproxy.emulator.volume import StoreKind

    if (tcp is None) is not (token_file is None):
        raise click.UsageError("--tcp and --token-file go together")

    if ready_fd is not None:
        _demand_open(ready_fd)

    def announce(_: object) -> None:
        click.echo(f"ready: the emulated node in {state}, process {os.getpid()}")
        if ready_fd is not None:
            _write_ready(ready_fd)

    show = Show(smb_files) if smb_files else None
    entrance = EntrancePlace(tcp, token_file) if tcp and token_file else None
    node.run(
        state,
        drive_c=drive_c,
        smb_files=show,
        smb_servers=smb_servers,
        volumes=StoreKind(volumes) if volumes else None,
        entrance=entrance,
        ready=announce,
    )


command.add_command(attach)
command.add_command(com_server)
command.add_command(fault)
command.add_command(letter)
command.add_command(memory_file)
command.add_command(service)
command.add_command(smb_server)


@command.command("detach")
@state_option
@click.argument("number", type=click.IntRange(min=0))
@output_option
@click.pass_obj
def detach(output: Output, number: int, state: str | None, host: str | None) -> None:
    """Take a disk away, whatever the node does with it.  Its image and files stay as they are."""
    with control(node_directory(state, host)) as node:
        node.detach(number)
    output.done(f"disk {number} is detached", number=number)


@command.command("grow")
@state_option
@click.argument("number", type=click.IntRange(min=0))
@click.argument("size", callback=size_callback)
@output_option
@click.pass_obj
def grow(output: Output, number: int, size: int, state: str | None, host: str | None) -> None:
    """Make a disk larger, as a cloud does (2GiB).  The node sees it after a rescan."""
    with control(node_directory(state, host)) as node:
        node.grow(number, size)
    output.done(
        f"disk {number} has {show_size(size)} now; call Rescan, then ResizeVolume", number=number, size=size
    )


@command.command("list")
@state_option
@output_option
@click.pass_obj
def list_disks(output: Output, state: str | None, host: str | None) -> None:
    """List the attached disks and their images.  With -o json also where the volumes' files are."""
    with control(node_directory(state, host)) as node:
        found = node.list()
    columns = ("DISK", "SIZE", "TABLE", "STATE", "LOCATION", "IMAGE", "VOLUMES", "PROBLEM")
    rows = [
        (
            str(disk.number),
            show_size(disk.size),
            disk.style,
            "offline" if disk.offline else "online",
            disk.location,
            disk.image,
            " ".join(volume.name for volume in disk.volumes),
            disk.problem,
        )
        for disk in found
    ]
    output.result(
        [asdict(disk) for disk in found],
        lambda screen: screen.print(table(columns, rows, right=("DISK", "SIZE"))),
    )


@command.command("reset")
@state_option
@output_option
@click.pass_obj
def reset(output: Output, state: str | None, host: str | None) -> None:
    """Make it a fresh node: no links, no mount points, no data disks.  Images stay as they are."""
    with control(node_directory(state, host)) as node:
        node.reset()
    output.done("the node is as new; its images and their files are where they were")


@command.command("seed")
@state_option
@click.argument("seed")
@output_option
@click.pass_obj
def set_seed(output: Output, seed: str, state: str | None, host: str | None) -> None:
    """Let a text decide the node's identifiers.

    Every identifier that it makes up from here on follows from the text alone, for tests that compare
    outputs.  A node that does not run is started.
    """
    directory = node_directory(state, host)
    start_if_needed(directory)
    with control(directory) as node:
        node.seed(seed)
    output.done("identifiers are a fixed sequence from here on", seed=seed)


@command.command("stop")
@state_option
@output_option
@click.pass_obj
def stop(output: Output, state: str | None, host: str | None) -> None:
    """Stop a node.  Calls that run are finished first, and nothing is lost."""
    with control(node_directory(state, host)) as node:
        process = node.process
        node.stop()
    output.done(f"the node was told to stop (process {process})", process=process)


def _demand_open(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        raise Failure(
            Problem(
                f"file descriptor {descriptor} is not open", next_step="open it before you start csi-proxy"
            )
        ) from None


def _write_ready(descriptor: int) -> None:
    try:
        os.write(descriptor, b"READY\n")
    except OSError:
        sys.stderr.write("csi-proxy: nobody reads from --ready-fd\n")
    finally:
        os.close(descriptor)
