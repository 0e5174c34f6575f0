"""The script of node-sim: a pod's volume from its YAML to its files, to another node, and away again."""

import os
import random
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from csiproxy.cli.demo.player import Player, require
from csiproxy.cli.sizes import show_size
from csiproxy.kubelet.paths import join
from csiproxy.testing.node_sim import picture
from csiproxy.testing.node_sim.cluster import Attached, Bound, Cluster, Running
from csiproxy.testing.node_sim.disturbance import Disturbance
from csiproxy.testing.node_sim.kubelet import ROOT, Volume
from csiproxy.testing.node_sim.manifests import Manifests, Mount, Pod
from csiproxy.testing.node_sim.node import SimulatedNode
from csiproxy.testing.node_sim.retrying import Backoff, Done
from csiproxy.testing.processes import Report, Workload, patiently, until
from csiproxy.testing.workload import RECORD_BYTES

CYCLES = 20
"""Cycles of writing and reading back that have to be seen before the script goes on."""


@dataclass(frozen=True, slots=True)
class Course:
    """How it is played: ``restarts`` components die at random meanwhile, 0: each of the first node's dies
    once,
    in a step of its own; ``seed`` decides their order; ``pace`` shortens kubelet's pauses."""

    restarts: int
    seed: int
    pace: float


class Story:
    """One play of the script in a directory of its own."""

    def __init__(self, player: Player, directory: str, manifests: Manifests, course: Course) -> None:
        self._player = player
        self._directory = directory
        self._manifests = manifests
        self._course = course

    def play(self) -> None:
        """Play it for each pod.  Whatever happens, no process is left."""
        drivers = {storage.provisioner for storage in self._manifests.classes.values()}
        for driver in sorted(drivers):
            with ExitStack() as opened:
                cluster = self._start(opened, driver)
                for pod in self._manifests.pods.values():
                    if self._driver_of(pod) == driver:
                        self._play(cluster, pod)
                self._player.act("Stop everything")
            self._player.step(
                "stop", self._directory.__str__, lambda _: "two nodes and the controller have ended"
            )

    # --- the acts

    def _start(self, opened: ExitStack, driver: str) -> Cluster:
        self._player.act(
            "Start two nodes: Windows, csi-proxy, plugin, registrar and kubelet on each; a controller"
        )
        backoff = Backoff(pace=self._course.pace)
        cluster = self._player.step(
            "start",
            lambda: opened.enter_context(Cluster(self._directory, driver, backoff)),
            lambda made: f"{len(made.components())} components run, {driver} is the driver",
        )
        for node in cluster.nodes.values():
            self._see_registered(node, driver)
        return cluster

    def _see_registered(self, node: SimulatedNode, driver: str) -> None:
        self._player.step(
            f"plugin watcher of {node.name}",
            lambda: _registered(node, driver),
            lambda found: f"the driver is registered and knows this node as {found}",
        )

    def _play(self, cluster: Cluster, pod: Pod) -> None:
        first, second = cluster.nodes.values()
        disturbance = Disturbance(cluster.components(), self._course.seed, self._course.restarts)
        with disturbance if self._course.restarts else ExitStack():
            self._player.act(f"Provision the claims of pod {pod.name}, and start it on {first.name}")
            running = self._bring_up(cluster, pod, first, self._provision(cluster, pod), {})
            self._player.act("Expand the claims while the pod works")
            running = self._expand(cluster, running)
            if self._course.restarts:
                self._player.act("Go on while components die")
                self._outlive(disturbance, running)
            else:
                self._player.act("kill -9 every component while the pod works")
                self._kill_each(cluster, running)
            self._player.act(f"Delete the pod; it is scheduled to {second.name}")
            reports = self._take_down(cluster, running)
            running = self._bring_up(cluster, pod, second, running.volumes, reports)
            self._show(cluster, running)
            self._player.act("Delete pod and claims")
            self._take_down(cluster, running)
            for attached in running.volumes.values():
                self._step("DeleteVolume", partial(cluster.control_plane.delete, attached.bound.volume))
            if self._course.restarts:
                self._see_all_died(disturbance)
        self._player.step("look for what is left", lambda: _left(cluster), _nothing)

    # --- pieces

    def _provision(self, cluster: Cluster, pod: Pod) -> dict[str, Attached]:
        volumes = {}
        for name in pod.claims:
            claim = self._manifests.claims[name]
            storage = self._manifests.classes[claim.storage_class]
            bound, _ = self._player.step(
                f"CreateVolume for {name}",
                partial(cluster.provision, claim, storage),
                lambda made: f"{show_size(made[0].volume.size)}, handle {made[0].volume.handle}, {made[1]}",
            )
            volumes[name] = Attached(bound, {})
        return volumes

    def _bring_up(
        self,
        cluster: Cluster,
        pod: Pod,
        node: SimulatedNode,
        volumes: Mapping[str, Attached],
        before: Mapping[Mount, Report],
    ) -> Running:
        uid = str(uuid.uuid4())
        attached = {}
        for name, there in volumes.items():
            read_only = all(mount.read_only for mount in pod.mounts if mount.claim == name)
            attached[name] = self._mount(cluster, there.bound, node, uid, read_only=read_only)
        return self._player.step(
            "containers start",
            lambda: _started(cluster.start(pod, uid, node, attached), before),
            lambda made: _working(made, before),
        )

    def _mount(
        self, cluster: Cluster, bound: Bound, node: SimulatedNode, uid: str, *, read_only: bool
    ) -> Attached:
        volume = bound.volume
        attached, _ = self._player.step(
            f"ControllerPublishVolume to {node.name}",
            lambda: cluster.attach(bound, node, read_only=read_only),
            lambda made: f"{_said(made[0].context)}, {made[1]}",
        )
        self._step("NodeStageVolume", lambda: node.kubelet.stage(volume, attached.context))
        self._step(
            "NodePublishVolume",
            lambda: node.kubelet.publish(volume, attached.context, uid, read_only=read_only),
        )
        return attached

    def _expand(self, cluster: Cluster, running: Running) -> Running:
        for name, attached in running.volumes.items():
            storage = self._manifests.classes[attached.bound.claim.storage_class]
            if storage.expansion:
                running = cluster.grown(running, name, self._double(cluster, running, attached.bound.volume))
        return running

    def _double(self, cluster: Cluster, running: Running, volume: Volume) -> Volume:
        kubelet, wanted = running.node.kubelet, 2 * volume.size
        larger, _ = self._player.step(
            "ControllerExpandVolume",
            lambda: cluster.control_plane.expand(volume, wanted),
            lambda made: f"the volume has {show_size(made[0].size)}, {made[1]}",
        )
        self._player.step(
            "NodeExpandVolume",
            lambda: kubelet.expand(larger, larger.size, running.uid),
            lambda made: f"the node sees {show_size(made[0])}, {made[1]}",
        )
        self._player.step(
            "NodeGetVolumeStats",
            lambda: kubelet.stats(larger, running.uid),
            lambda made: _statistics(made[0].usage[0].total, made[0].usage[0].used, wanted),
        )
        return larger

    def _kill_each(self, cluster: Cluster, running: Running) -> None:
        components = {
            name: kill
            for name, kill in cluster.components().items()
            if name == "controller" or name.endswith(running.node.name)
        }
        order = random.Random(self._course.seed).sample(sorted(components), len(components))  # noqa: S311
        for name in order:
            self._player.step(
                f"kill the {name}",
                partial(_survived, running, components[name]),
                lambda more: f"its successor runs; the pod wrote and read back {more} more times meanwhile",
            )
        self._see_registered(running.node, cluster.driver)

    def _outlive(self, disturbance: Disturbance, running: Running) -> None:
        """Half of them die while the pod works, the others while it moves."""
        half = self._course.restarts // 2

        def said(more: int) -> str:
            require(disturbance.problem is None, f"one did not come back: {disturbance.problem}")
            return f"{len(disturbance.died)} have died, {more} more records are written and read back"

        self._player.step("go on", lambda: _survived(running, partial(disturbance.wait, half)), said)

    def _see_all_died(self, disturbance: Disturbance) -> None:
        def said(died: list[str]) -> str:
            require(disturbance.problem is None, f"one did not come back: {disturbance.problem}")
            return f"{len(died)} components have died and come back, in the order of seed {self._course.seed}"

        def rest() -> list[str]:
            disturbance.wait(self._course.restarts)
            return disturbance.died

        self._player.step("await the last death", rest, said)

    def _take_down(self, cluster: Cluster, running: Running) -> dict[Mount, Report]:
        node = running.node
        reports = self._player.step("containers end", lambda: cluster.finish(running), _whole)
        for attached in running.volumes.values():
            self._unmount(cluster, attached.bound.volume, node, running.uid)
        return reports

    def _unmount(self, cluster: Cluster, volume: Volume, node: SimulatedNode, uid: str) -> None:
        self._step("NodeUnpublishVolume", lambda: node.kubelet.unpublish(volume, uid))
        self._step("NodeUnstageVolume", lambda: node.kubelet.unstage(volume))
        self._step(
            f"ControllerUnpublishVolume from {node.name}",
            lambda: cluster.control_plane.detach(volume, node.name),
        )

    def _show(self, cluster: Cluster, running: Running) -> None:
        self._player.act("What is where")
        for workload in running.workloads.values():
            workload.report()
        tree = self._player.step(
            "look at the cluster",
            lambda: patiently(lambda: picture.draw(cluster, running)),
            lambda _: "pod, claim, volume, disk, path",
        )
        self._player.screen.show(tree)

    def _step(self, name: str, action: Callable[[], Done]) -> None:
        self._player.step(name, action, str)

    def _driver_of(self, pod: Pod) -> str:
        claim = self._manifests.claims[pod.claims[0]]
        return self._manifests.classes[claim.storage_class].provisioner


def _registered(node: SimulatedNode, driver: str) -> str:
    until(lambda: node.kubelet.registered(driver), f"the driver is not registered on {node.name}")
    return node.kubelet.registered(driver)


def _said(context: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sorted(context.items()))


def _started(running: Running, before: Mapping[Mount, Report]) -> Running:
    for mount, workload in running.workloads.items():
        if not mount.read_only:
            workload.go_on_until((before[mount].records if mount in before else 0) + CYCLES)
    return running


def _working(running: Running, before: Mapping[Mount, Report]) -> str:
    found = sum(report.records for report in before.values())
    pids = ", ".join(str(workload.pid) for workload in running.workloads.values())
    if not before:
        return f"process {pids} writes and reads back"
    return f"process {pids} found all {found} records of the other node, and goes on"


def _survived(running: Running, act: Callable[[], None]) -> int:
    """How much further the containers came while something happened, and after it."""
    before = {mount: workload.report().cycles for mount, workload in _writers(running)}
    act()
    return sum(
        workload.go_on_until(workload.report().cycles + CYCLES).cycles - before[mount]
        for mount, workload in _writers(running)
    )


def _writers(running: Running) -> list[tuple[Mount, Workload]]:
    return [(mount, workload) for mount, workload in running.workloads.items() if not mount.read_only]


def _statistics(total: int, used: int, wanted: int) -> str:
    require(total > wanted * 0.8, f"the file system has {total} bytes of {wanted}")
    require(used >= CYCLES * RECORD_BYTES, f"only {used} bytes are used")
    return f"{show_size(total)} in all, {show_size(used)} used"


def _whole(reports: Mapping[Mount, Report]) -> str:
    for report in reports.values():
        require(not report.cycles or report.records == report.cycles, "records are missing")
    shown = (
        f"{report.records} records, every byte as written, sha256 {report.sha256[:16]}…"
        for report in reports.values()
    )
    return "; ".join(shown)


def _left(cluster: Cluster) -> list[str]:
    """What should have gone with pods and claims and is still there."""
    found = [os.path.join(cluster.images, name) for name in sorted(os.listdir(cluster.images))]
    for node in cluster.nodes.values():
        found += [f"disk {disk.number} of {node.name}" for disk in node.machine.control.list() if disk.number]
        staged = node.kubelet.on_host(join(ROOT, "plugins", "kubernetes.io", "csi", cluster.driver))
        found += [
            os.path.join(staged, name) for name in (os.listdir(staged) if os.path.isdir(staged) else ())
        ]
    return found


def _nothing(left: list[str]) -> str:
    require(not left, f"still there: {', '.join(left)}")
    return "no image, no disk, no staging directory"
