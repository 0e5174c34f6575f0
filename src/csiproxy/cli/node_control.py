"""The control of a node from the command line: reach it, or start it."""

import os

import click

from csiproxy.cli.places import no_node
from csiproxy.emulator.connect import start_node
from csiproxy.emulator.control import Control
from csiproxy.errors import HostUnreachable


def control(directory: str) -> Control:
    """The control of a running node; where none runs, a failure that says how to start one."""
    node = Control(directory)
    try:
        _ = node.process
    except HostUnreachable as error:
        node.close()
        raise no_node(directory) from error
    return node


def start_if_needed(directory: str) -> None:
    """Start a node in the background when none answers, and say so."""
    with Control(directory) as node:
        try:
            _ = node.process
        except HostUnreachable:
            start_node(os.path.realpath(directory))
            click.echo(
                f"started the node in {directory}; 'csi-proxy emulator stop --state {directory}' ends it",
                err=True,
            )
