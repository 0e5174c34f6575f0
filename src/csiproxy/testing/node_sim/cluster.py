"""A cluster of two nodes with one driver, and pods that come, go and move."""

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final, Self

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.testing.node_sim.control_plane import ControlPlane
from csiproxy.testing.node_sim.kubelet import Volume, staging_path, target_path
from csiproxy.testing.node_sim.manifests import Claim, Mount, Pod, StorageClass
from csiproxy.testing.node_sim.node import SimulatedNode
from csiproxy.testing.node_sim.retrying import Backoff, Done
from csiproxy.testing.node_sim.supervision import Supervised
from csiproxy.testing.processes import Report, Workload

NODES: Final = ("node-1", "node-2")


@dataclass(frozen=True, slots=True)
class Bound:
    """A claim with its volume."""

    claim: Claim
    volume: Volume


@dataclass(frozen=True, slots=True)
class Attached:
    """A volume on a node; what the controller said of it there."""

    bound: Bound
    context: dict[str, str]


@dataclass(frozen=True, slots=True)
class Running:
    """A pod on a node, with its volumes by claim and a process for each container's mount."""

    pod: Pod
    uid: str
    node: SimulatedNode
    volumes: dict[str, Attached]
    workloads: dict[Mount, Workload]


class Cluster:
    """Two nodes, one driver and its controller.  Leaving the context ends every process."""

    def __init__(self, directory: str, driver: str, backoff: Backoff) -> None:
        self.directory = directory
        self.driver = driver
        self.images = os.path.join(directory, "images")
        os.makedirs(self.images, exist_ok=True)
        self._workload_log = os.path.join(directory, "workload.log")
        with ExitStack() as opened:
            self.nodes = self._start_nodes(opened, backoff)
            socket = os.path.join(directory, "controller.sock")
            log = os.path.join(directory, "controller.log")
            self.controller = Supervised("controller", self._controller_arguments(socket), log)
            opened.callback(self.controller.close)
            self.control_plane = ControlPlane(
                lambda: Caller(address.channel(socket), v1_pb2.DESCRIPTOR), backoff
            )
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._opened.close()

    def _start_nodes(self, opened: ExitStack, backoff: Backoff) -> dict[str, SimulatedNode]:
        """Start all nodes at the same time; when one fails the others are closed."""

        def start(name: str) -> SimulatedNode:
            directory = os.path.join(self.directory, name[-1])
            return SimulatedNode(name, directory, self.images, self.driver, backoff)

        with ThreadPoolExecutor(len(NODES)) as starters:
            starting = {name: starters.submit(start, name) for name in NODES}
        for started in starting.values():
            if started.exception() is None:
                opened.enter_context(started.result())
        return {name: started.result() for name, started in starting.items()}

    # --- claims

    def provision(self, claim: Claim, storage: StorageClass) -> tuple[Bound, Done]:
        """Make a volume for a claim."""
        volume, done = self.control_plane.provision(claim, str(uuid.uuid4()), storage)
        return Bound(claim, volume), done

    def image(self, volume: Volume) -> str:
        """The image behind a volume."""
        return os.path.join(self.images, f"{volume.handle}.img")

    # --- pods, step by step

    def attach(self, bound: Bound, node: SimulatedNode, *, read_only: bool = False) -> tuple[Attached, Done]:
        """Have the attacher give a volume to a node."""
        context, done = self.control_plane.attach(
            bound.volume, node.kubelet.registered(self.driver) or node.name, read_only=read_only
        )
        return Attached(bound, context), done

    def start(self, pod: Pod, uid: str, node: SimulatedNode, volumes: dict[str, Attached]) -> Running:
        """Run the containers: a process for each mount, which goes on after what is there already."""
        workloads: dict[Mount, Workload] = {}
        for mount in pod.mounts:
            path = node.kubelet.on_host(target_path(uid, volumes[mount.claim].bound.volume))
            role = "verify" if mount.read_only else "continue"
            workloads[mount] = self._opened.enter_context(Workload(role, path, self._workload_log))
        return Running(pod, uid, node, volumes, workloads)

    def finish(self, running: Running) -> dict[Mount, Report]:
        """End the containers; what each has on its volume."""
        reports = {}
        for mount, workload in running.workloads.items():
            reports[mount] = workload.result() if mount.read_only else workload.finish()
        return reports

    def grown(self, running: Running, claim: str, volume: Volume) -> Running:
        """The same pod, whose claim has a larger volume."""
        there = running.volumes[claim]
        bound = Bound(replace(there.bound.claim, size=volume.size), volume)
        return replace(running, volumes={**running.volumes, claim: replace(there, bound=bound)})

    # --- what can be restarted

    def components(self) -> dict[str, Callable[[], None]]:
        """Everything that may die, by name; each call kills it and returns when its successor runs."""
        found: dict[str, Callable[[], None]] = {"controller": self.controller.kill}
        for name, node in self.nodes.items():
            found[f"emulated machine of {name}"] = node.restart_machine
            found[f"csi-proxy of {name}"] = node.restart_proxy
            found[f"node plugin of {name}"] = node.plugin.kill
            found[f"registrar of {name}"] = node.registrar.kill
            found[f"kubelet of {name}"] = node.restart_kubelet
        return found

    def _controller_arguments(self, socket: str) -> tuple[str, ...]:
        nodes = (f"--node={name}={node.state}" for name, node in self.nodes.items())
        return (
            "testing",
            "csi-driver",
            f"--endpoint={socket}",
            f"--driver-name={self.driver}",
            "--node-id=controller",
            f"--images={self.images}",
            *nodes,
        )


def paths(running: Running, claim: str) -> tuple[str, str]:
    """Where a running pod's volume is staged and published."""
    volume = running.volumes[claim].bound.volume
    return staging_path(volume), target_path(running.uid, volume)
