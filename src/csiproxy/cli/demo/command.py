"""``csi-proxy demo``."""

import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress

import click

from csiproxy.cli.demo.csi_proxy_service import CsiProxyService
from csiproxy.cli.demo.dialect import MakeDialect
from csiproxy.cli.demo.groups import Groups
from csiproxy.cli.demo.life import Life
from csiproxy.cli.demo.player import Player, StepFailed, require
from csiproxy.cli.demo.screen import Screen
from csiproxy.cli.failure import Failure, Problem

CONTRACTS: dict[str, tuple[str, MakeDialect]] = {
    "groups": ("through the API groups (disk/v1, filesystem/v2alpha1, volume/v2alpha1)", Groups),
    "csi-proxy-service": ("through CSIProxyService alone (v1beta1, v1alpha1)", CsiProxyService),
}
BOTH = "both"
PREFIX = "csi-proxy-demo-"
LONGEST_PLACE = 19
"""Characters of a directory below which every socket's path fits into a socket address (103 on macOS)."""


@click.command("demo")
@click.option(
    "--contract",
    type=click.Choice([*CONTRACTS, BOTH]),
    default=BOTH,
    show_default=True,
    help="which contract to play it through",
)
@click.option("--keep", is_flag=True, help="keep the directory with images, states, logs and audit trails")
@click.option("--plain", is_flag=True, help="one line of text a step, as when the output is no terminal")
def command(contract: str, keep: bool, plain: bool) -> None:
    """Play a pod's storage life on emulated nodes, through real gRPC on real sockets.

    Nodes, proxies and the pod's workload are processes of their own; every outcome that is shown is what
    they said.  Nothing is left behind, unless a step fails: then its logs are kept.
    """
    signal.signal(signal.SIGTERM, _end)
    player = Player(Screen(plain=plain))
    begin = time.perf_counter()
    directory = tempfile.mkdtemp(prefix=PREFIX, dir=_place())
    kept = True
    try:
        for name in CONTRACTS if contract == BOTH else (contract,):
            title, make_dialect = CONTRACTS[name]
            player.screen.title(f"A pod's storage life {title}")
            life = os.path.join(directory, name.rpartition("-")[2])  # short, for the sockets' sake
            os.mkdir(life)
            Life(player, life, make_dialect).play()
        player.act("Clean up")
        player.step("look for processes", _children, _none_left)
        kept = keep
    except StepFailed as failure:
        raise Failure(
            Problem(f"the demo failed at: {failure}", next_step=f"its states and logs are in {directory}")
        ) from failure
    except (KeyboardInterrupt, SystemExit):
        kept = keep
        raise
    finally:
        if not kept:
            shutil.rmtree(directory)
    if keep:
        player.screen.show(f"kept: {directory}")
    else:
        player.step(
            "remove the files", lambda: os.path.exists(directory), lambda there: _gone(there, directory)
        )
    player.screen.show(
        f"\n{player.calls} RPCs and {player.steps - player.calls} other steps, all as they should be, "
        f"in {time.perf_counter() - begin:.1f} s"
    )


def _place() -> str:
    """The directory for temporary files, or /tmp where sockets would have too long a path below it."""
    place = tempfile.gettempdir()
    return place if len(place) <= LONGEST_PLACE else "/tmp"  # noqa: S108  mkdtemp makes a private one below


def _end(number: int, _: object) -> None:
    """Leave through the clean-up when told to end."""
    sys.exit(128 + number)


def _children() -> bool:
    """Whether this process still has a child, running or not waited for."""
    if sys.platform != "win32":  # where there is no emulated node, so nothing was started
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
            return True
    return False


def _none_left(left: bool) -> str:
    require(not left, "a process of the demo is still running")
    return "no process of the demo is left"


def _gone(there: bool, directory: str) -> str:
    require(not there, f"{directory} is still there")
    return f"{directory} is gone"
