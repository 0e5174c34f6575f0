"""A node that is killed again and again, at instants that nobody chose, keeps what it has acknowledged.

The proxy is in this process and does whatever comes next in a random life of disks and names; the node is a
process.  What each call gives and leaves behind is known from a model of Windows.
"""

import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.crash.forked import sgdisk_fault
from tests.crash.picture import table_faults
from tests.emulated import KUBELET, MIB, NO_VOLUME, PLUGINS, PODS
from tests.emulator.nodes import NodeDirectory
from tests.model import observed
from tests.model.windows import SYSTEM, Refused, Windows
from tests.thoroughness import THOROUGH

from csiproxy import operations
from csiproxy.errors import CsiProxyError, HostUnreachable, Unavailable
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context

KILLS = 25 if THOROUGH else 5
# The longest that a node is left alone (seconds); it takes some twenty calls meanwhile.
LONGEST = 0.08
STAGINGS = tuple(rf"{PLUGINS}\{name}" for name in ("a", "b", r"a\b"))
PUBLISHED = tuple(rf"{PODS}\{name}" for name in ("a", "b", r"a\b"))
DISKS = (1, 2)

Result = tuple[type[CsiProxyError], int] | None


@dataclass(frozen=True)
class Call:
    """What is done to the node, and what the model does with the same."""

    name: str
    real: Callable[[], object]
    model: Callable[[Windows], object]

    def expect(self, windows: Windows) -> Result:
        try:
            self.model(windows)
        except Refused as refused:
            return refused.error, refused.windows_code
        return None

    def make(self) -> Result:
        """Raises Unavailable or HostUnreachable when the node died."""
        try:
            self.real()
        except Unavailable:
            raise
        except CsiProxyError as error:
            return type(error), error.windows_code
        return None


class Life:
    """A random life of one node."""

    def __init__(self, directory: Path, seed: int) -> None:
        self.directory = directory
        self.random = random.Random(seed)
        self.node = NodeDirectory(str(directory / "node"))
        self.host = self.node.connect()
        configuration = Configuration(KUBELET, (), PLUGINS, PODS, allow_reformat=False)
        self.groups = operations.build(self.host, configuration)
        self.windows = Windows()
        self.volumes: dict[int, str] = {}
        with self.node.control() as control:
            for number in DISKS:
                control.attach(str(directory / f"{number}.img"), create=40 * MIB)
                self.windows.attach(number, number, 40 * MIB)

    def next_call(self) -> Call:
        """One of what may come next; what gets a life going comes more often."""
        pick, windows = self.random.choice, self.windows
        staging, published, image, yes = pick(STAGINGS), pick(PUBLISHED), pick(DISKS), pick((True, False))
        device, volume = rf"\\.\PhysicalDrive{image}", self.volumes.get(image, NO_VOLUME)
        files, service, volumes = self.groups.filesystem, self.groups.csi_proxy_service, self.groups.volume
        size, larger = pick((0, 20 * MIB)), windows.images[image].size + MIB
        on, at = {"volume_id": volume}, {"target_path": staging}
        calls = [
            Call(
                "partition",
                lambda: service.partition_disk(Context(), disk_device=device, type=1),
                lambda w: w.partition_disk(image),
            ),
            Call(
                "format",
                lambda: service.format_volume(Context(), volume_device=volume, type=0),
                lambda w: w.service_format_volume(image, "NTFS"),
            ),
            Call("stage", lambda: files.mkdir(Context(), path=staging), lambda w: w.mkdir(staging)),
            Call(
                "mount",
                lambda: volumes.mount_volume(Context(), **on, **at),
                lambda w: w.mount_volume(image, staging),
            ),
            Call("publish", lambda: files.mkdir(Context(), path=published), lambda w: w.mkdir(published)),
            Call(
                "link",
                lambda: service.link_path(Context(), source_path=published, **at),
                lambda w: w.link_path(published, staging),
            ),
        ]
        rarer = [
            Call(
                "unlink",
                lambda: service.unlink_path(Context(), path=published),
                lambda w: w.unlink_path(published),
            ),
            Call(
                "unmount",
                lambda: volumes.unmount_volume(Context(), **on, **at),
                lambda w: w.unmount_volume(image, staging),
            ),
            Call(
                "dismount",
                lambda: service.dismount_volume(Context(), volume_device=volume),
                lambda w: w.dismount_volume(image),
            ),
            Call(
                "remove",
                lambda: files.rmdir(Context(), path=staging, force=yes),
                lambda w: w.rmdir(staging, yes),
            ),
            Call(
                "switch",
                lambda: self.groups.disk.set_disk_state(Context(), disk_number=image, is_online=yes),
                lambda w: w.set_disk_state(image, yes),
            ),
            Call(
                "grow",
                lambda: self.grow(image, larger),
                lambda w: (w.grow(image, larger), w.rescan()),
            ),
            Call(
                "resize",
                lambda: volumes.resize_volume(Context(), **on, size_bytes=size),
                lambda w: w.resize_volume(image, size),
            ),
        ]
        return pick(calls * 2 + rarer)

    def grow(self, number: int, size: int) -> None:
        with self.node.control() as control:
            control.grow(number, size)
        self.groups.disk.rescan(Context())

    def live_until_killed(self) -> tuple[Call, Windows]:
        """Let the node live for a while; the call that it died in, and the model before that call."""
        with self.node.control() as control:
            process = control.process
        killer = threading.Timer(self.random.uniform(0, LONGEST), os.kill, (process, signal.SIGKILL))
        killer.start()
        try:
            while True:
                call, before = self.next_call(), self.windows.copy()
                expected = call.expect(self.windows)
                try:
                    assert call.make() == expected, call.name
                    self.learn()
                except (Unavailable, HostUnreachable):
                    return call, before
        finally:
            killer.join()
            self.node.wait_until_gone()

    def learn(self) -> None:
        """Windows has made up names for new volumes, and never changes them."""
        for number in DISKS:
            if number not in self.volumes:
                found = self.groups.volume.list_volumes_on_disk(
                    Context(), disk_number=number, partition_number=0
                )
                self.volumes |= dict(zip([number], found.volume_ids, strict=False))

    def go_on(self, call: Call, before: Windows) -> None:
        """Start the node again: nothing acknowledged is lost, and the same call finishes the job."""
        self.node.connect()
        for windows in (before, self.windows):
            windows.rescan()  # a start does that
        seen, was, wanted = self.look(), before.lines(), self.windows.lines()
        acknowledged = {line for line in was | wanted if was.get(line) == wanted.get(line)}
        assert {line: seen.get(line) for line in acknowledged} == {line: was[line] for line in acknowledged}
        allowed = call.expect(before), call.expect(self.windows.copy())
        assert call.make() in allowed, call.name
        self.learn()
        assert self.look() == wanted, call.name

    def look(self) -> dict[str, str]:
        with self.node.control() as control:
            inventory = control.list()
        assert [report.problem for report in inventory] == [""] * len(inventory)
        return observed.lines(self.host, inventory, self.volumes)

    def images(self) -> list[str]:
        return [str(self.directory / f"{number}.img") for number in DISKS]


def torment(directory: Path, seed: int, check: Callable[[str], str]) -> None:
    """Kill a node some times; ``check`` says what is wrong with an image after a start."""
    life = Life(directory, seed)
    try:
        for _ in range(KILLS):
            call, before = life.live_until_killed()
            life.go_on(call, before)
            assert [check(image) for image in life.images()] == ["", ""]
    finally:
        life.node.stop()


@pytest.mark.parametrize("seed", range(5))
def test_every_acknowledged_change_is_there_and_the_call_that_was_cut_off_can_be_made_again(
    seed: int, directory: Path
) -> None:
    torment(directory, seed, table_faults)


@pytest.mark.foreign
def test_other_tools_find_no_fault_in_any_table_after_each_start(directory: Path, foreign) -> None:
    sgdisk = foreign("sgdisk")

    def check(image: str) -> str:
        with open(image, "rb") as file:
            raw = not any(file.read(512))
        return "" if raw else sgdisk_fault(sgdisk, image)

    torment(directory, SYSTEM, check)
