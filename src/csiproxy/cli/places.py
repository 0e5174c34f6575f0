"""Where the node and its endpoints are: the options that several commands share."""

import os
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from csiproxy.cli.failure import Failure, Problem
from csiproxy.dialing import dial
from csiproxy.errors import HostUnreachable
from csiproxy.host import Host
from csiproxy.rpc.channel import Channel

C = TypeVar("C", bound=Callable[..., object])

HOST_VARIABLE = "CSI_PROXY_HOST"
ENDPOINTS_VARIABLE = "CSI_PROXY_ENDPOINTS"
EMULATOR = "emulator:"
KUBELET_PATH = r"C:\var\lib\kubelet"
_ON_WINDOWS = sys.platform == "win32"
ENDPOINTS = "endpoints"
"""The directory of the socket files in a node's directory, where ``serve`` puts them by default."""


def read_host(text: str) -> str:
    """The state directory in ``emulator:DIR``; UsageError for another form."""
    directory = text.removeprefix(EMULATOR)
    if not text.startswith(EMULATOR) or not directory:
        raise click.UsageError(f"'{text}' is no host: write emulator:DIR, DIR being the node's directory")
    return directory


def state_option(command: C) -> C:
    """Give a command ``--state DIR``, and ``--host emulator:DIR`` as ``serve`` has it; one is needed."""
    host = click.option(
        "--host",
        metavar="emulator:DIR",
        envvar=HOST_VARIABLE,
        help=f"the node, named as for serve [environment: {HOST_VARIABLE}]",
    )
    state = click.option(
        "--state", metavar="DIR", help="state directory of the emulated node; short for --host emulator:DIR"
    )
    return state(host(command))


def node_directory(state: str | None, host: str | None) -> str:
    """The state directory that the options name; UsageError when none does, or they differ."""
    if state:
        return state
    if not host:
        raise click.UsageError(
            f"which node? Give --state DIR (or --host emulator:DIR, or set {HOST_VARIABLE}); "
            "csi-proxy emulator run --state DIR starts one"
        )
    return read_host(host)


def endpoints_option(command: C) -> C:
    """Give a command ``--endpoints DIR``, and ``--host emulator:DIR`` for the default place of that node."""
    host = click.option(
        "--host",
        metavar="emulator:DIR",
        envvar=HOST_VARIABLE,
        help=f"the node whose proxy is called; its endpoints are in DIR/{ENDPOINTS} "
        f"[environment: {HOST_VARIABLE}]",
    )
    endpoints = click.option(
        "--endpoints",
        metavar="DIR",
        envvar=ENDPOINTS_VARIABLE,
        help=f"directory of the proxy's socket files [environment: {ENDPOINTS_VARIABLE}]",
    )
    return endpoints(host(command))


def endpoints_directory(endpoints: str | None, host: str | None) -> str:
    """The directory of socket files that the options name; UsageError when none does."""
    if endpoints:
        return endpoints
    if _ON_WINDOWS:
        return ""  # pipes are in no directory
    if not host:
        raise click.UsageError(
            "where is the proxy? Give --endpoints DIR as to serve, or --host emulator:DIR "
            f"(or set {ENDPOINTS_VARIABLE} or {HOST_VARIABLE})"
        )
    return os.path.join(read_host(host), ENDPOINTS)


def open_channel(directory: str, endpoint: str) -> Channel:
    """A channel to an endpoint in a directory of socket files; it connects when it is first used."""
    return Channel(lambda: dial(directory, endpoint))


def kubelet_option(command: C) -> C:
    r"""Give a command ``--kubelet-path``, below which links are looked for."""
    return click.option(
        "--kubelet-path",
        metavar="PATH",
        default=KUBELET_PATH,
        show_default=True,
        help="look for links below this directory of the node",
    )(command)


def open_node(directory: str) -> Host:
    """The host port of a running node; where none runs, a failure that says how to start one."""
    from csiproxy.emulator import connect  # here: commands that ask no node do not load it

    try:
        return connect.connect(directory, start=False)
    except HostUnreachable as error:
        raise no_node(directory) from error


def no_node(directory: str) -> Failure:
    """What is said where no node answers."""
    return Failure(
        Problem(
            f"no emulated node answers in {directory}",
            next_step=f"start it: csi-proxy emulator run --state {directory}",
        )
    )
