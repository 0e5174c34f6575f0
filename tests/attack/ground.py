"""The ground of the race: a node, what may be attacked in it, and what must stay as it is.

Below the prefix there are a few trees ``x/a?/b?/l?``.  Outside there are likenesses of them, name by name, so
that whoever follows a planted link finds there what was expected, and betrays itself by what it does with it.
"""

import os
from dataclasses import dataclass

from csiproxy import operations
from csiproxy.emulator import image
from csiproxy.emulator.machine import Machine
from csiproxy.host import Host
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context

KUBELET = r"C:\var\lib\kubelet"
PLUGINS = KUBELET + r"\plugins\kubernetes.io\csi"
PODS = KUBELET + r"\pods"
OUTSIDE = r"C:\var\lib\outside"
KNOWN = r"C:\var\lib\known"
EVIL = r"C:\var\lib\kubelet-evil"
DROP = r"C:\var\lib\drop"

TOPS = (PLUGINS, PODS, KUBELET)
LEVELS = (("x",), ("a0", "a1"), ("b0", "b1"), ("l0", "l1", "l2"))
MADE = "made-"
"""What clients make begins with this, and nothing else does."""
ONLY_OUTSIDE, ONLY_IN_VOLUME, LINK_OUTSIDE = "canary-outside", "canary-in-volume", "canary-link"
"""Names that exist outside, in volumes, and never under the prefix."""
_SIZE = 64 << 20
_SECRET_LEAF = "l2"


@dataclass(frozen=True)
class Ground:
    """Where everything is.  ``volumes`` may be mounted by clients, ``secret`` is mounted outside alone."""

    directory: str
    volumes: tuple[str, ...]
    secret: str

    @property
    def node(self) -> str:
        """The node's directory."""
        return os.path.join(self.directory, "node")

    def on_host(self, path: str) -> str:
        """The host path of a path on drive C:."""
        return os.path.join(self.node, "c", *path.split("\\")[1:])

    @property
    def beyond(self) -> str:
        """A place outside on the host, on no drive and no volume, so nobody has any business to open it.

        (The node itself looks through its drives and volumes, to say how full they are.)
        """
        return os.path.join(self.directory, "beyond")

    @property
    def kept(self) -> tuple[str, ...]:
        """Host directories in which nothing may change: all that is outside, and the volumes."""
        images = (os.path.join(self.directory, name) for name in os.listdir(self.directory))
        volumes = (path for path in images if path.endswith(".img.d"))
        return (self.beyond, *map(self.on_host, (OUTSIDE, EVIL, KNOWN)), *volumes)


def prepare(directory: str, volumes: int = 2) -> Ground:
    """Make a node that does not run yet, with formatted volumes, and everything that must stay as it is."""
    with Machine(os.path.join(directory, "node")) as machine:
        machine.seed("attack")
        found = [_volume(machine, os.path.join(directory, f"{number}.img")) for number in range(volumes + 1)]
        ground = Ground(directory, tuple(found[:-1]), found[-1])
        for path in (OUTSIDE, KNOWN, EVIL):
            _furnish(ground.on_host(path), ONLY_OUTSIDE)
        _furnish(ground.beyond, ONLY_OUTSIDE)
        for volume in found:
            _furnish(machine.disks.volume_directory(volume), ONLY_IN_VOLUME)
        for path, volume in (
            (OUTSIDE + "\\x\\a0\\b0", ground.secret),
            (KNOWN + "\\x\\a0\\b0", ground.volumes[0]),
        ):
            with machine.win32.open_root(path) as parent:
                os.rmdir(os.path.join(ground.on_host(path), _SECRET_LEAF))
                machine.win32.create_directory(parent, _SECRET_LEAF)
                machine.win32.set_mount_point(parent, _SECRET_LEAF, volume)
                machine.win32.set_link(parent, LINK_OUTSIDE, KUBELET, replace=False)
        os.makedirs(ground.on_host(DROP))
        for top in TOPS:
            _tree(ground.on_host(top))
    return ground


def _volume(machine: Machine, path: str) -> str:
    image.create(path, _SIZE)
    number = machine.disks.attach(path)
    groups = operations.build(
        Host(machine.session, machine.win32), Configuration(KUBELET, (), PLUGINS, PODS, allow_reformat=False)
    )
    groups.disk.partition_disk(Context(), disk_number=number)
    (volume,) = groups.volume.list_volumes_on_disk(
        Context(), disk_number=number, partition_number=0
    ).volume_ids
    groups.volume.format_volume(Context(), volume_id=volume)
    return volume


def _tree(top: str) -> list[str]:
    """Make the tree below a host directory; all its directories."""
    made = [top]
    for names in LEVELS:
        made += [os.path.join(parent, name) for parent in made[-_width(names) :] for name in names]
    for path in made:
        os.makedirs(path, exist_ok=True)
    return made


def _width(names: tuple[str, ...]) -> int:
    """How many directories the level above one has."""
    width = 1
    for level in LEVELS[: LEVELS.index(names)]:
        width *= len(level)
    return width


def _furnish(top: str, mark: str) -> None:
    """A likeness of the tree with a file in every directory but most leaves."""
    for path in _tree(top):
        if os.path.basename(path) not in (
            "l1",
            _SECRET_LEAF,
        ):  # empty ones can be removed, replaced, mounted at
            with open(os.path.join(path, mark), "w") as file:
                file.write(f"{mark} {path}")
