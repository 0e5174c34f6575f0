"""``csi-proxy emulator attach``: a disk as its operator describes it."""

import click

from csiproxy.cli.node_control import control, start_if_needed
from csiproxy.cli.output import Output, output_option
from csiproxy.cli.page83 import KINDS, identifiers_callback
from csiproxy.cli.places import node_directory, state_option
from csiproxy.cli.sizes import size_callback
from csiproxy.emulator.attachment import BusType
from csiproxy.emulator.control import AttachOptions
from csiproxy.host.win32 import StorageIdentifier

BUSES = {bus.name.lower().replace("_", "-"): bus for bus in BusType}


@click.command("attach")
@state_option
@click.argument("image", metavar="IMAGE")
@click.option(
    "--create", callback=size_callback, metavar="SIZE", help="make the image first, sparse (64MiB, 2GiB)"
)
@click.option("--number", type=click.IntRange(min=1), help="disk number; default: the lowest free one")
@click.option("--vendor", metavar="TEXT", help="vendor that the disk reports; default: Msft")
@click.option("--product", metavar="TEXT", help="product that the disk reports; default: Virtual Disk")
@click.option("--serial", metavar="TEXT", help="serial number; default: made up")
@click.option(
    "--page83",
    "identifiers",
    callback=identifiers_callback,
    multiple=True,
    metavar="KIND:TEXT",
    help=f"an identifier on page 83, KIND being one of {', '.join(KINDS)}; naa and eui take hexadecimal "
    "digits; may be repeated, order counts; default: one made up",
)
@click.option("--bus", type=click.Choice(list(BUSES)), help="kind of bus; default: sas")
@click.option("--adapter", type=click.IntRange(min=0), help="number of the adapter; default: 1")
@click.option("--bus-number", type=click.IntRange(min=0), help="PCI bus of the adapter; default: 0")
@click.option("--target", type=click.IntRange(min=0), help="target on the bus; default: 0")
@click.option("--lun", type=click.IntRange(min=0), help="logical unit; default: the lowest free one")
@click.option("--read-only", is_flag=True, help="the hardware refuses writes")
@click.option("--offline", is_flag=True, help="the disk comes offline")
@click.option(
    "--policy-read-only",
    is_flag=True,
    help="as a SAN policy brings new shared disks: offline and marked read-only",
)
@click.option("--clustered", is_flag=True, help="the disk is a failover cluster's")
@output_option
@click.pass_obj
def attach(
    output: Output,
    /,
    image: str,
    create: int | None,
    identifiers: tuple[StorageIdentifier, ...],
    bus: str | None,
    state: str | None,
    host: str | None,
    **described: str | int | bool | None,
) -> None:
    """Attach an image file to a node as a disk.  A node that does not run is started.

    \b
      csi-proxy emulator attach --state /tmp/node --create 1GiB /tmp/disk.img
      csi-proxy emulator attach --state /tmp/node /tmp/disk.img --lun 3 --page83 'vendor:Google pvc-1'
    """
    directory = node_directory(state, host)
    # What is not given is left out, so that the node's own defaults hold.
    options = AttachOptions(**{name: value for name, value in described.items() if value is not None})  # type: ignore[typeddict-item]  # the options above have these names and types
    if identifiers:
        options["identifiers"] = identifiers
    if bus is not None:
        options["bus"] = BUSES[bus]
    start_if_needed(directory)
    with control(directory) as node:
        number = node.attach(image, create=create, **options)
    output.done(f"disk {number}: {image}; call Rescan, then ListDiskIDs", number=number, image=image)
