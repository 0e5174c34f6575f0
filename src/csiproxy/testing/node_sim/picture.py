"""What is where in the end: pod, claim, volume, disk, path."""

import os

from rich.text import Text
from rich.tree import Tree

from csiproxy.testing.node_sim import quantity
from csiproxy.testing.node_sim.cluster import Cluster, Running, paths


def draw(cluster: Cluster, running: Running) -> Tree:
    """Draw a running pod down to the images."""
    pod = running.pod
    tree = Tree(Text(f"pod {pod.namespace}/{pod.name} on {running.node.name}"))
    disks = {disk.image: disk for disk in running.node.machine.control.list()}
    for mount in pod.mounts:
        attached = running.volumes[mount.claim]
        bound = attached.bound
        container = tree.add(Text(f"container {mount.container}: {mount.path}"))
        claim = container.add(
            Text(
                f"claim {bound.claim.name}: {quantity.show(bound.claim.size)}, {bound.claim.access_mode}, "
                f"class {bound.claim.storage_class}"
            )
        )
        volume = claim.add(Text(f"volume {bound.volume.name}, handle {bound.volume.handle}"))
        image = os.path.realpath(cluster.image(bound.volume))
        disk = disks.get(image)
        if disk is None:
            volume.add(Text("no disk of the node"))
            continue
        leaf = volume.add(
            Text(f"disk {disk.number}, serial {disk.serial}, {quantity.show(disk.size)}: {image}")
        )
        for windows in disk.volumes:
            shown = leaf.add(Text(windows.name))
            for point in windows.mount_points:
                shown.add(Text(f"mounted at {point}"))
            shown.add(Text(f"published at {paths(running, mount.claim)[1]}"))
    return tree
