"""``csi-proxy service``: csi-proxy as a service of this Windows."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.output import Output, output_option
from csiproxy.windows.services import ServiceError, Services, this_systems

C = TypeVar("C", bound=Callable[..., object])

_PATIENCE = 60.0
_SERVICE_FLAG = "-windows-service"


@click.group("service")
def command() -> None:
    r"""Install csi-proxy as a service of this Windows, start and stop it, and remove it.

    \b
      csi-proxy service install -- -log_file=C:\csi-proxy\csi-proxy.log -logtostderr=false
      csi-proxy service start
      csi-proxy service status

    The plain way works, too:
    sc.exe create csiproxy binPath= "C:\csi-proxy\csi-proxy.exe -windows-service" start= auto
    """


def name_option(command: C) -> C:
    """Give a command ``--name``."""
    return click.option(
        "--name", metavar="NAME", default="csiproxy", show_default=True, help="the service's name"
    )(command)


@contextmanager
def _services() -> Iterator[Services]:
    """The services of this Windows; what it refuses becomes a failure, and so does a system that is none."""
    try:
        yield this_systems()
    except ServiceError as error:
        raise Failure(Problem(str(error))) from error


@command.command("install")
@name_option
@click.option(
    "--start",
    type=click.Choice(("auto", "demand")),
    default="auto",
    show_default=True,
    help="when it starts: with Windows, or when somebody starts it",
)
@click.argument("flags", nargs=-1, type=click.UNPROCESSED)
@output_option
@click.pass_obj
def install(output: Output, name: str, start: str, flags: tuple[str, ...]) -> None:
    """Make the service; FLAGS (behind --) are those of csi-proxy serve."""
    from csiproxy import flags as serve_flags

    with _services() as services:
        serve_flags.parse([_SERVICE_FLAG, *flags])  # says what is wrong with them, and ends
        text = subprocess.list2cmdline([*_program(), _SERVICE_FLAG, *flags])
        services.install(name, text, automatic=start == "auto")
    output.done(f"service {name} is installed: {text}", name=name, command=text)


def _program() -> list[str]:
    """The command that is this program: the executable that was built, or the interpreter and the package."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    if sys.prefix != sys.base_prefix:
        raise Failure(
            Problem(
                "a service cannot run from a virtual environment, whose python.exe starts another process",
                next_step="install csi-proxy into the system's own Python, or use csi-proxy.exe",
            )
        )
    return [sys.executable, "-m", "csiproxy", "serve"]


@command.command("uninstall")
@name_option
@output_option
@click.pass_obj
def uninstall(output: Output, name: str) -> None:
    """Stop the service if it runs, and remove it."""
    with _services() as services:
        services.uninstall(name, _PATIENCE)
    output.done(f"service {name} is removed", name=name)


@command.command("start")
@name_option
@output_option
@click.pass_obj
def start_service(output: Output, name: str) -> None:
    """Start the service, and wait until it answers calls."""
    with _services() as services:
        services.start(name, _PATIENCE)
    output.done(f"service {name} runs", name=name)


@command.command("stop")
@name_option
@output_option
@click.pass_obj
def stop_service(output: Output, name: str) -> None:
    """Stop the service, and wait until running calls are done."""
    with _services() as services:
        services.stop(name, _PATIENCE)
    output.done(f"service {name} has stopped", name=name)


@command.command("status")
@name_option
@output_option
@click.pass_obj
def show_status(output: Output, name: str) -> None:
    """Tell how the service is: its state, process, last exit code and command."""
    with _services() as services:
        found = services.status(name)
    plain = {
        "name": name,
        "state": found.state,
        "pid": found.pid,
        "exit_code": found.exit_code,
        "command": found.command,
    }
    lines = [f"service {name}: {found.state}", f"command: {found.command}"]
    if found.pid:
        lines.insert(1, f"process: {found.pid}")
    elif found.exit_code:
        lines.insert(1, f"last exit code: {found.exit_code}")
    output.result(plain, lambda screen: screen.print("\n".join(lines), highlight=False))
