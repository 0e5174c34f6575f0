"""A play of pods with volumes: of the manifests that are named, or of the one that comes with the program."""

import os
from collections.abc import Iterable

from csiproxy.cli.demo.player import Player
from csiproxy.cli.testing.story import Course, Story
from csiproxy.testing.node_sim import manifests

PACE = 0.1
"""How much of kubelet's pauses is left in a play."""
DEFAULT = os.path.join(os.path.dirname(manifests.__file__), "sql-server.yaml")


def play_kubernetes(player: Player, directory: str, read: manifests.Manifests, course: Course) -> None:
    """Play what was read in a directory with a short path."""
    classes, claims, pods = (", ".join(names) for names in (read.classes, read.claims, read.pods))
    player.screen.title("A pod's volume, from its YAML to its files")
    player.screen.show(f"StorageClass {classes}; PersistentVolumeClaim {claims}; Pod {pods}")
    Story(player, directory, read, course).play()


def default_manifests() -> manifests.Manifests:
    """What is played where no manifests are named: a database with a volume, as in the KEP's user story."""
    return read_files((DEFAULT,))


def read_files(paths: Iterable[str]) -> manifests.Manifests:
    """Read manifests; ManifestError, OSError, or UnicodeDecodeError for what is no text."""
    texts = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    return manifests.read(texts)
