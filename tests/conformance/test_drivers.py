"""The exact calls of three real drivers play through a volume's life: once, twice, and with replies lost."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.player import CsiCallFailed, End, Player
from tests.conformance.recordings import DISK_DRIVERS, GROWN, KUBELET, SIZE, Driver, Step
from tests.conformance.running import KUBELET as KUBELET_PATH
from tests.conformance.running import MIB, PLUGINS, PODS, Running
from tests.conformance.smb_recordings import SMB_DRIVERS
from tests.crash.forked import difference
from tests.crash.picture import Picture, picture

from csiproxy.emulator import connect
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

DRIVERS = {**DISK_DRIVERS, **SMB_DRIVERS}
CSI_CALLS = ("stage", "publish", "stats", "expand", "unpublish", "unstage")


def attach(running: Running) -> dict[str, Any]:
    """A disk such as a cloud attaches, and what drivers know of it from elsewhere."""
    lun = running.next_number()
    page83 = f"Google pvc-{lun}"
    identifier = StorageIdentifier(
        CodeSet.ASCII, IdentifierType.VENDOR_SPECIFIC, Association.DEVICE, page83.encode()
    )
    number = running.attach(SIZE, lun=lun, identifiers=(identifier,))
    return {"disk": number, "disk_text": str(number), "lun": str(lun), "page83": page83}


def places(staging: str, published: str) -> dict[str, str]:
    """The paths of a claim, without their drive."""
    share = KUBELET_PATH + r"\share"
    return {
        "staging": staging[2:],
        "staging_parent": staging[2:].rpartition("\\")[0],
        "published": published[2:],
        "pod": published[2:].rpartition("\\")[0],
        "share": share[2:],
    }


@pytest.mark.parametrize("name", DISK_DRIVERS)
def test_a_drivers_calls_carry_a_volume_through_its_life_and_into_the_next_pod(running, claim, name):
    driver = DRIVERS[name]
    player = Player(running, driver, {**attach(running), **places(claim.staging, claim.published)})
    player.undisturbed(driver.stage)
    player.undisturbed(driver.publish)
    running.write(claim.published + r"\file", "data")
    player.undisturbed(driver.stats)
    running.control.grow(player.values["disk"], GROWN)
    player.undisturbed(driver.expand)
    total, used = sizes(player.undisturbed(driver.stats))
    assert 200 * MIB < total < GROWN
    assert used < total
    player.undisturbed(driver.unpublish)
    player.undisturbed(driver.unstage)
    assert not running.exists(claim.published)
    assert not running.exists(claim.staging)
    assert running.mount_points(player.values["volume"]) == ()

    # The next pod on this node: the volume is formatted, its disk may be offline.
    player.call(driver.stage)
    assert player.values["formatted"] is True
    player.call(driver.publish)
    assert running.read(claim.published + r"\file") == "data"
    player.call(driver.unpublish)
    player.call(driver.unstage)
    running.control.detach(player.values["disk"])


@pytest.mark.parametrize("name", SMB_DRIVERS)
def test_a_drivers_calls_carry_a_share_through_its_life(running, claim, name):
    driver = DRIVERS[name]
    player = Player(running, driver, places(claim.staging, claim.published))
    running.make(KUBELET_PATH + r"\share")
    player.undisturbed(driver.stage)
    player.undisturbed(driver.publish)
    running.write(claim.published + r"\file", name)
    player.undisturbed(driver.unpublish)
    player.undisturbed(driver.unstage)
    assert not running.exists(claim.published)
    assert not running.exists(claim.staging)
    assert running.read(KUBELET_PATH + r"\share\file") == name


def sizes(reply: Any) -> tuple[int, int]:
    """Total and used bytes of either generation's statistics."""
    if hasattr(reply, "total_bytes"):
        return reply.total_bytes, reply.used_bytes
    return reply.volumeSize, reply.volumeUsedSize


@pytest.mark.parametrize("name", DISK_DRIVERS)
def test_a_disk_goes_away_under_a_driver_and_everything_can_still_be_cleaned_up(running, claim, name):
    driver = DRIVERS[name]
    player = Player(running, driver, {**attach(running), **places(claim.staging, claim.published)})
    player.undisturbed(driver.stage)
    player.undisturbed(driver.publish)
    running.control.detach(player.values["disk"])
    player.undisturbed(driver.unpublish)
    for step in driver.unstage:
        if step.rpc in ("UnmountVolume", "DismountVolume", "Rmdir"):
            player.play((step,))
    assert not running.exists(claim.staging)


# --- the same end, whatever happens on the way -------------------------------------------------------------


@pytest.fixture(params=DRIVERS)
def lives(apis, request) -> Iterator["Lives"]:
    """A node and a proxy that belong to one driver alone."""
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    running = Running(directory, apis)
    yield Lives(running, DRIVERS[request.param])
    running.close()
    shutil.rmtree(directory)


class Lives:
    """A volume's lives under a driver, one after the other from the same state of the node."""

    def __init__(self, running: Running, driver: Driver) -> None:
        self.driver = driver
        self._running = running
        self._host = connect.connect(running.node, start=False)
        self._paths = places(rf"{PLUGINS}\pv\globalmount", rf"{PODS}\uid\mount")

    @property
    def longest(self) -> int:
        """The most RPCs that a CSI call of the driver can have."""
        rows = (getattr(self.driver, call) for call in CSI_CALLS)
        return max(sum(step.group != KUBELET for step in steps) for steps in rows)

    def live(
        self, times: int = 1, losing: int | None = None, end: End = End.DRIVER_DIES
    ) -> dict[str, Picture]:
        """One life, every CSI call made ``times`` times; the node after each.

        With ``losing``, every CSI call loses the reply to its RPC of that number.
        """
        running, driver = self._running, self.driver
        running.make("C:" + self._paths["share"])
        known = {} if driver in SMB_DRIVERS.values() else attach(running)
        player = Player(running, driver, {**known, **self._paths})
        pictures = {}
        for call in CSI_CALLS:
            if call == "expand" and known:
                running.control.grow(known["disk"], GROWN)
            steps: tuple[Step, ...] = getattr(driver, call)
            for _ in range(times):
                self._make(player, steps, losing, end)
            pictures[call] = picture(self._host, running.control.list(), running.node)
            if call == "publish":
                running.write("C:" + self._paths["published"] + r"\file", "data")
        if known:
            [report] = [report for report in running.control.list() if report.number == known["disk"]]
            running.control.detach(known["disk"])
            os.unlink(report.image)
            shutil.rmtree(report.image + ".d")
        for path in (self._paths["share"], self._paths["staging_parent"], self._paths["pod"]):
            shutil.rmtree(running.on_host("C:" + path))
        return pictures

    @staticmethod
    def _make(player: Player, steps: tuple[Step, ...], losing: int | None, end: End) -> None:
        stuck = False
        try:
            player.call(steps, losing, end)
        except CsiCallFailed:
            if not player.loss(steps):
                raise
            stuck = True
        loss = player.loss(steps)
        if loss:
            # When the driver hangs up at once, the proxy may have left the call undone.
            assert stuck == loss.stuck or end is End.DRIVER_DIES
            player.play(loss.mend)


def test_calls_that_are_made_twice_and_replies_that_are_lost_change_nothing_in_the_end(lives):
    wanted = lives.live()
    assert compared(lives.live(times=2), wanted) == {}
    for number in range(lives.longest):
        for end in End:
            assert compared(lives.live(losing=number, end=end), wanted) == {}, (number, end)


def compared(seen: dict[str, Picture], wanted: dict[str, Picture]) -> dict[str, str]:
    """What differs after which CSI call."""
    return {call: difference(seen[call], wanted[call]) for call in seen if seen[call] != wanted[call]}
