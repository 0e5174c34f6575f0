"""``csi-proxy descriptors``: the API as a descriptor set, for tools that want no .proto files."""

import sys

import click

from csiproxy.api import versions
from csiproxy.api.descriptors import descriptor_set


@click.command("descriptors")
@click.option(
    "--serve",
    "patterns",
    multiple=True,
    metavar="PATTERN[,…]",
    help="only these versions: 'disk/v1', 'volume/*', 'csi-proxy/*'; may be repeated; default: all",
)
@click.argument("output", metavar="OUTPUT|-")
def command(patterns: tuple[str, ...], output: str) -> None:
    """Write the API's FileDescriptorSet to a file, or to standard output.

    \b
      csi-proxy descriptors api.pb
      grpcurl -plaintext -protoset api.pb -unix /tmp/node/endpoints/csi-proxy-disk-v1.sock v1.Disk/ListDiskIDs
    """
    wanted = [part.strip() for value in patterns for part in value.split(",") if part.strip()]
    data = descriptor_set(versions.select(wanted, ()))
    if output == "-":
        sys.stdout.buffer.write(data)
        return
    with open(output, "wb") as file:
        file.write(data)
