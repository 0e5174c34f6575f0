"""A pod's life as kubelet and its driver have it, with what is promised about each step."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tests.crash.picture import table_faults
from tests.emulated import PLUGINS, PODS
from tests.soak import workload
from tests.soak.client import Client
from tests.soak.drivers import Usage
from tests.soak.ground import Ground
from tests.soak.kubelet import Kubelet, Violation
from tests.soak.plan import Kill, Life, Phase, Trouble


class Driver(Protocol):
    """A driver's CSI calls; every one may be made again."""

    def stage(self) -> str: ...
    def publish(self) -> None: ...
    def mounted(self) -> str: ...
    def stats(self) -> Usage | None: ...
    def grow(self, size: int) -> None: ...
    def unpublish(self) -> None: ...
    def unstage(self) -> None: ...


class Volume(Protocol):
    """What becomes a volume on this node: a disk, a LUN, or a directory of a share."""

    inside: str  # the directory in the volume that is the pod's; "" for all of it

    def arrive(self) -> None:
        """It is attached, where nothing of it was."""

    def mend(self) -> None:
        """Undo what has gone wrong with it; OSError or Refused when that failed, and it is called again."""

    def enlarge(self) -> int:
        """Make it larger; how large it is now, in bytes."""

    def depart(self) -> None:
        """It is detached."""

    def at_rest(self) -> list[str]:
        """What is wrong with it while nobody has it."""

    def erase(self) -> None:
        """It is deleted."""

    def driver(self, client: Client, staging: str, published: str) -> Driver: ...


class Pod:
    """One life on a ground.  :class:`Violation` when a promise is broken."""

    def __init__(self, life: Life, ground: Ground, volume: Volume, client: Client, stop: threading.Event):
        self.life = life
        self._ground = ground
        self._volume = volume
        self._client = client
        self._kubelet = Kubelet(self._mend, stop)
        self._round = 0
        self._volume_id = ""
        self._written: list[workload.File] = []
        self._size = 0

    def live(self) -> None:
        """From attaching to deleting."""
        self._attached(troubled=True, first=True)
        if self.life.moves:
            self._round = 1
            self._attached(troubled=False, first=False)
        self._volume.erase()
        self._ground.count("retries", self._kubelet.retries)

    # --- one stay on the node

    @property
    def _staging(self) -> str:
        return rf"{PLUGINS}\{self._name}\globalmount"

    @property
    def _published(self) -> str:
        return rf"{PODS}\{self._name}\volumes\kubernetes.io~csi\mount"

    @property
    def _name(self) -> str:
        return f"pv-{self.life.number}" + "-again" * self._round

    def _attached(self, *, troubled: bool, first: bool) -> None:
        self._operator("attach", self._volume.arrive)
        driver = self._driver = self._volume.driver(self._client, self._staging, self._published)

        def do(phase: Phase, action: Callable[[], None]) -> None:
            self._through(phase, action, troubled=troubled)

        do(Phase.STAGE, self._stage)
        do(Phase.PUBLISH, driver.publish)
        self._require_published()
        if first:
            do(Phase.WRITE, self._write)
        do(Phase.STATS, self._stats)
        if first and self.life.grows:
            do(Phase.GROW, self._grow)
        do(Phase.READ, self._read)
        do(Phase.UNPUBLISH, driver.unpublish)
        self._require_gone(self._published)
        do(Phase.UNSTAGE, driver.unstage)
        self._require_gone(self._staging)
        self._operator("detach", self._volume.depart)
        for place in (self._staging, self._published):
            self._forget(place)
        if faults := self._volume.at_rest():
            raise Violation(f"after it was detached: {'; '.join(faults)}")

    def _through(self, phase: Phase, action: Callable[[], None], *, troubled: bool) -> None:
        serial = self._ground.keeper.serial
        timers = []
        for trouble in self.life.during(phase) if troubled else ():
            timers += self._begin(trouble)
        try:
            self._kubelet.persist(phase.value, action)
        finally:
            for timer in timers:
                timer.join()
        keeper = self._ground.keeper
        killing = troubled and any(trouble.kill for trouble in self.life.during(phase))
        if killing and keeper.serial == serial and keeper.is_up:
            keeper.kill()  # the step that was to kill it did not come

    def _begin(self, trouble: Trouble) -> list[threading.Timer]:
        if trouble.fault:
            self._kubelet.persist("order", lambda: self._ground.order(trouble.fault))
        action = None
        if trouble.restart:
            action = self._ground.restart_server
        elif trouble.kill is Kill.AT_ONCE:
            action = self._ground.keeper.kill
        if action is None:
            return []
        timer = threading.Timer(trouble.delay, action)
        timer.start()
        return [timer]

    def _mend(self, status: str) -> None:
        """What an operator does once a call has failed."""
        if status == "DEADLINE_EXCEEDED":
            self._ground.clear_faults()
        self._volume.mend()

    def _operator(self, what: str, action: Callable[[], None]) -> None:
        self._kubelet.persist(what, action)

    # --- phases

    def _stage(self) -> None:
        found = self._driver.stage()
        if self._volume_id and found != self._volume_id:
            raise Violation(f"the volume is {found} and was {self._volume_id}: somebody made it anew")
        self._volume_id = found

    def _write(self) -> None:
        """Each file until it is there for good; those that are, are not written again."""
        for file in self.life.files[len(self._written) :]:
            workload.write(self._pod / self._volume.inside, file)
            self._written.append(file)

    def _stats(self) -> None:
        usage = self._driver.stats()
        if usage is None:
            return
        written = sum(file.size for file in self._written)
        if not written <= usage.used <= usage.total:
            raise Violation(f"{usage.used} of {usage.total} bytes are used, and {written} were written")
        if self._size and usage.total < self._size - (self._size >> 3) - (8 << 20):
            raise Violation(f"the volume has {usage.total} bytes, and was made {self._size} large")

    def _grow(self) -> None:
        before = self._driver.stats()
        size = self._volume.enlarge()
        self._driver.grow(0)
        after = self._driver.stats()
        if before and after and after.total < before.total:
            raise Violation(f"the volume has shrunk from {before.total} to {after.total} bytes")
        self._size = size
        self._stats()

    def _read(self) -> None:
        """The pod's path leads to this volume, and everything is there."""
        self._require_published()
        if found := workload.differences(self._pod / self._volume.inside, self._written):
            raise Violation(f"through the pod's path: {'; '.join(found)}")

    # --- what is promised

    @property
    def _pod(self) -> Path:
        return self._ground.on_host(self._published)

    def _require_published(self) -> None:
        pod, staging = self._pod, self._ground.on_host(self._staging)
        if not pod.is_symlink() or os.path.realpath(pod) != os.path.realpath(staging):
            raise Violation(f"{self._published} was published, and does not lead to what is staged")
        if not staging.is_symlink():
            raise Violation(f"{self._staging} was staged, and nothing is mounted there")

    def _require_gone(self, path: str) -> None:
        if os.path.lexists(self._ground.on_host(path)):
            raise Violation(f"{path} was removed, and is there")

    def _forget(self, path: str) -> None:
        """Remove the directories that kubelet and drivers made on the way to a path."""
        top = self._ground.on_host(path)
        while top.name != self._name:
            top = top.parent
        shutil.rmtree(top, ignore_errors=True)


def damage(image: Path) -> list[str]:
    """What any other reader finds wrong with a disk."""
    fault = table_faults(str(image))
    return [f"{image.name}: {fault}"] if fault else []
