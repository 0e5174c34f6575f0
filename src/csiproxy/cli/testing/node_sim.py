"""``csi-proxy testing node-sim``."""

import shutil
import signal
import sys
import time

import click

from csiproxy.cli.demo.place import make_directory
from csiproxy.cli.demo.player import Player, StepFailed
from csiproxy.cli.demo.screen import Screen
from csiproxy.cli.failure import Failure, Problem
from csiproxy.cli.testing.play import DEFAULT, PACE, play_kubernetes, read_files
from csiproxy.cli.testing.story import Course
from csiproxy.testing.node_sim import manifests

PREFIX = "csi-proxy-sim-"


@click.command("node-sim")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False), metavar="[FILE.yaml…]")
@click.option(
    "--restarts",
    type=click.IntRange(min=0, max=10_000),
    default=0,
    metavar="N",
    help="let N components die at random, at any moment; default 0: each of one node once, in turns",
)
@click.option("--seed", type=int, default=1, show_default=True, help="decides who dies when")
@click.option(
    "--pace",
    type=click.FloatRange(min=0.001, max=10),
    default=PACE,
    show_default=True,
    help="factor for kubelet's pauses between tries; 1 is kubelet's own",
)
@click.option("--keep", is_flag=True, help="keep the directory with images, states and logs")
@click.option("--plain", is_flag=True, help="one line of text a step, as when the output is no terminal")
def node_sim(files: tuple[str, ...], restarts: int, seed: int, pace: float, keep: bool, plain: bool) -> None:
    """Play pods with volumes, from their YAML to their files, on two emulated nodes.

    FILEs hold StorageClass, PersistentVolumeClaim and Pod objects; without one, a database with a volume is
    played. Each pod is started, its claims are expanded while it works, components die, the pod moves to the
    other node, and every byte that it wrote is looked at.

    \b
      csi-proxy testing node-sim
      csi-proxy testing node-sim examples/07-sql-server.yaml --restarts 50 --seed 7
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        read = read_files(files or (DEFAULT,))
    except (manifests.ManifestError, UnicodeDecodeError) as error:
        raise Failure(Problem(str(error), next_step="change the YAML")) from error
    player = Player(Screen(plain=plain))
    begin = time.perf_counter()
    directory = make_directory(PREFIX)
    kept = True
    try:
        play_kubernetes(player, directory, read, Course(restarts, seed, pace))
        kept = keep
    except StepFailed as failure:
        raise Failure(
            Problem(f"the play failed at: {failure}", next_step=f"its states and logs are in {directory}")
        ) from failure
    except (KeyboardInterrupt, SystemExit):
        kept = keep
        raise
    finally:
        if not kept:
            shutil.rmtree(directory)
    if keep:
        player.screen.show(f"kept: {directory}")
    player.screen.show(
        f"\n{player.steps} steps, all as they should be, in {time.perf_counter() - begin:.1f} s"
    )
