"""The script: a pod's storage life, the same for every contract."""

import os
from contextlib import ExitStack

from csiproxy.cli.demo import observe
from csiproxy.cli.demo.dialect import (
    FOREIGN_STAGING,
    PUBLISHED,
    STAGING,
    Dialect,
    Expected,
    MakeDialect,
    Staged,
)
from csiproxy.cli.demo.foreign_disk import table_checksum, write_foreign_disk
from csiproxy.cli.demo.node import Node
from csiproxy.cli.demo.player import CheckFailed, Player, require
from csiproxy.cli.sizes import show_size
from csiproxy.cli.tree import draw
from csiproxy.errors import Code
from csiproxy.rpc.status import RpcError
from csiproxy.testing.processes import Report, Workload
from csiproxy.testing.workload import RECORD_BYTES

MIB = 1 << 20
SIZE, GROWN = 256 * MIB, 512 * MIB
DATA = Expected(serial="DEMO-DATA-0001", lun=3)
FOREIGN = Expected(serial="DEMO-FOREIGN-0002", lun=7)
KILLED = -9
"""The exit status of a process that ``kill -9`` ended."""
CYCLES = 20
"""Cycles of writing and reading back that have to be seen before the script goes on."""


class Life:
    """One play of the script in a directory of its own."""

    def __init__(self, player: Player, directory: str, make_dialect: MakeDialect) -> None:
        self._player = player
        self._directory = directory
        self._make_dialect = make_dialect
        self._image = os.path.join(directory, "data.img")
        self._foreign_image = os.path.join(directory, "foreign.img")

    def play(self) -> None:
        """Play it.  Whatever happens, no process is left."""
        act = self._player.act
        with ExitStack() as processes:
            act("Start a node and its proxy")
            first = self._start(processes, "first")
            dialect = self._make_dialect(self._player, first)
            act("Attach a disk, as a cloud does; find, partition, format and mount it")
            staged = self._first_use(first, dialect)
            act("Do the same with a disk that another tool partitioned")
            self._use_foreign_disk(first, dialect)
            act("Make the volume visible to a pod, and let the pod work")
            dialect.publish(staged, PUBLISHED)
            workload = self._start_workload(processes, first)
            dialect.statistics(staged, CYCLES * RECORD_BYTES)
            act("Grow it while the pod works")
            self._grow(first, dialect, staged)
            act("kill -9 the proxy while the pod works")
            self._survive(first, dialect, staged, workload)
            act("End the pod, unmount, detach")
            written = self._end(first, dialect, staged, workload)
            act("Start a second node and its proxy, and move the disk there")
            second = self._start(processes, "second")
            self._move(second, written)
            self._show_and_stop(first)
            self._show_and_stop(second)

    # --- the acts

    def _start(self, processes: ExitStack, name: str) -> Node:
        node = processes.enter_context(Node(name, os.path.join(self._directory, name)))
        self._player.step(
            "emulator run", node.start_machine, lambda pid: f"the emulated Windows node is process {pid}"
        )
        self._player.step("serve", node.start_proxy, lambda pid: f"the proxy is process {pid}")
        return node

    def _first_use(self, node: Node, dialect: Dialect) -> Staged:
        self._attach(node, self._image, DATA, SIZE)
        dialect.rescan()
        disk = dialect.find(DATA)
        staged = Staged(disk, dialect.partition(disk, volumes=1), STAGING)
        dialect.format(staged.volume)
        dialect.stage(staged)
        return staged

    def _use_foreign_disk(self, node: Node, dialect: Dialect) -> None:
        write_foreign_disk(self._foreign_image)
        table = table_checksum(self._foreign_image)
        self._attach(node, self._foreign_image, FOREIGN)
        dialect.rescan()
        disk = dialect.find(FOREIGN)
        staged = Staged(disk, dialect.partition(disk, volumes=2), FOREIGN_STAGING)
        dialect.format(staged.volume)
        dialect.stage(staged)

        def unchanged(checksum: str) -> str:
            require(checksum == table, "sgdisk's partition table was changed")
            return f"sgdisk's partition table is as it was, sha256 {checksum[:16]}…"

        self._player.step("look at the image", lambda: table_checksum(self._foreign_image), unchanged)

    def _start_workload(self, processes: ExitStack, node: Node) -> Workload:
        path = node.host_path(PUBLISHED)
        workload = processes.enter_context(
            Workload("write", path, os.path.join(self._directory, "workload.log"))
        )
        self._player.step(
            "workload starts",
            lambda: workload.go_on_until(CYCLES),
            lambda report: f"process {workload.pid} wrote and read back {report.cycles} times",
        )
        return workload

    def _grow(self, node: Node, dialect: Dialect, staged: Staged) -> None:
        before = node.volume(staged.volume).size
        self._player.step(
            "emulator grow",
            lambda: node.grow(staged.disk, GROWN),
            lambda _: f"the image has {show_size(os.path.getsize(self._image))}",
        )
        dialect.rescan()
        dialect.resize(staged, GROWN)

        def larger(size: int) -> str:
            require(size >= before + (GROWN - SIZE), f"the volume has {size} bytes, before it had {before}")
            return f"the volume had {show_size(before)} and has {show_size(size)}"

        self._player.step("get volumes", lambda: node.volume(staged.volume).size, larger)
        dialect.statistics(staged, CYCLES * RECORD_BYTES)

    def _survive(self, node: Node, dialect: Dialect, staged: Staged, workload: Workload) -> None:
        before = self._progress("workload works", workload, workload.report())

        def killed(status: int) -> str:
            require(status == KILLED, f"the proxy ended with {status}")
            return f"the proxy is dead, exit status {status}"

        self._player.step("kill -9", node.kill_proxy, killed)
        self._player.step(
            "call the dead proxy", lambda: _refusal(node), lambda code: f"{code}, as it must be"
        )
        during = self._progress("workload goes on", workload, before)
        self._player.step("serve again", node.start_proxy, lambda pid: f"the new proxy is process {pid}")
        dialect.still_there(staged, PUBLISHED)
        self._progress("workload goes on", workload, during)

    def _end(self, node: Node, dialect: Dialect, staged: Staged, workload: Workload) -> Report:
        def whole(report: Report) -> str:
            require(report.records == report.cycles, f"{report.records} records of {report.cycles} are there")
            return f"{report.records} records of {RECORD_BYTES} bytes, sha256 {report.sha256[:16]}…"

        written = self._player.step("workload ends", workload.finish, whole)
        dialect.unpublish(PUBLISHED)
        dialect.unstage(staged)
        self._player.step("emulator detach", lambda: node.detach(staged.disk), lambda _: observe.disks(node))
        return written

    def _move(self, node: Node, written: Report) -> None:
        self._attach(node, self._image, DATA)
        dialect = self._make_dialect(self._player, node)
        dialect.rescan()
        disk = dialect.find(DATA)
        staged = Staged(disk, dialect.partition(disk, volumes=1), STAGING)
        dialect.restage(staged)
        dialect.publish(staged, PUBLISHED)

        def same(report: Report) -> str:
            require(report.sha256 == written.sha256, "the files are not what the first node's pod wrote")
            return (
                f"all {report.records} records, sha256 {report.sha256[:16]}…, as the first node's pod wrote"
            )

        self._player.step("another workload reads", lambda: self._verify(node), same)

    def _show_and_stop(self, node: Node) -> None:
        self._player.act(f"What is where on the {node.name} node")
        self._player.screen.show(draw(f"node {node.directory}", node.disks(), node.links()))

        def clean(codes: tuple[int, ...]) -> str:
            require(codes == (0, 0), f"proxy and node ended with {codes}")
            return f"proxy and node have ended, exit codes {codes[0]} and {codes[1]}"

        self._player.step("stop", node.stop, clean)

    # --- pieces

    def _attach(self, node: Node, image: str, disk: Expected, create: int | None = None) -> None:
        self._player.step(
            "emulator attach",
            lambda: node.attach(image, serial=disk.serial, lun=disk.lun, create=create),
            lambda number: (
                f"{os.path.basename(image)} is disk {number} at LUN {disk.lun}, serial {disk.serial}"
            ),
        )

    def _progress(self, name: str, workload: Workload, since: Report) -> Report:
        return self._player.step(
            name,
            lambda: workload.go_on_until(since.cycles + CYCLES),
            lambda report: f"{report.cycles - since.cycles} more times written and read back, no error",
        )

    def _verify(self, node: Node) -> Report:
        log = os.path.join(self._directory, "verify.log")
        with Workload("verify", node.host_path(PUBLISHED), log) as workload:
            return workload.result()


def _refusal(node: Node) -> str:
    """Call a proxy that is dead; being refused is what is expected."""
    try:
        node.client.call("disk/v1", "Rescan", {})
    except RpcError as error:
        if error.code is Code.UNAVAILABLE:
            return error.code.name
        raise
    raise CheckFailed("somebody answered though the proxy was killed")
