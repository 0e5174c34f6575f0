"""``csi-proxy demo``."""

import os
import shutil
import signal
import sys
import time

import click

from csiproxy.cli.demo.csi_proxy_service import CsiProxyService
from csiproxy.cli.demo.dialect import MakeDialect
from csiproxy.cli.demo.groups import Groups
from csiproxy.cli.demo.life import Life
from csiproxy.cli.demo.place import make_directory
from csiproxy.cli.demo.player import Player, StepFailed, require
from csiproxy.cli.demo.screen import Screen
from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.testing.play import PACE, default_manifests, play_kubernetes
from csiproxy.cli.testing.story import Course
from csiproxy.testing.processes import STOP_SECONDS

CONTRACTS: dict[str, tuple[str, MakeDialect]] = {
    "groups": ("through the API groups (disk/v1, filesystem/v2alpha1, volume/v2alpha1)", Groups),
    "csi-proxy-service": ("through CSIProxyService alone (v1beta1, v1alpha1)", CsiProxyService),
}
KUBERNETES = "kubernetes"
ALL = "all"
PREFIX = "csi-proxy-demo-"


@click.command("demo")
@click.option(
    "--part",
    "--contract",
    type=click.Choice([*CONTRACTS, KUBERNETES, ALL]),
    default=ALL,
    show_default=True,
    help="play it through one of the two contracts alone, or as Kubernetes does, through a CSI driver",
)
@click.option("--keep", is_flag=True, help="keep the directory with images, states, logs and audit trails")
@click.option("--plain", is_flag=True, help="one line of text a step, as when the output is no terminal")
def command(part: str, keep: bool, plain: bool) -> None:
    """Play a pod's storage life on emulated nodes, through real gRPC on real sockets.

    First through each of the proxy's contracts, then as Kubernetes does it, from a pod's YAML. Nodes,
    proxies, plugins and the pod's workload are processes of their own; every outcome that is shown is what
    they said. Nothing is left behind, unless a step fails: then its logs are kept.
    """
    signal.signal(signal.SIGTERM, _end)
    player = Player(Screen(plain=plain))
    begin = time.perf_counter()
    directory = make_directory(PREFIX)
    kept = True
    try:
        for name in CONTRACTS if part == ALL else CONTRACTS.keys() & {part}:
            title, make_dialect = CONTRACTS[name]
            player.screen.title(f"A pod's storage life {title}")
            life = os.path.join(directory, name.rpartition("-")[2])  # short, for the sockets' sake
            os.mkdir(life)
            Life(player, life, make_dialect).play()
        if part in (KUBERNETES, ALL):
            play_kubernetes(player, directory, default_manifests(), Course(restarts=0, seed=1, pace=PACE))
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


def _end(number: int, _: object) -> None:
    """Leave through the clean-up when told to end."""
    sys.exit(128 + number)


def _children() -> bool:
    """Whether this process still has a child that runs; those that have ended are forgotten."""
    if sys.platform == "win32":  # where there is no emulated node, so nothing was started
        return False
    else:  # noqa: RET505  mypy tells platforms apart by branches only
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            try:
                ended, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not ended:
                time.sleep(0.01)
        return True


def _none_left(left: bool) -> str:
    require(not left, "a process of the demo is still running")
    return "no process of the demo is left"


def _gone(there: bool, directory: str) -> str:
    require(not there, f"{directory} is still there")
    return f"{directory} is gone"
