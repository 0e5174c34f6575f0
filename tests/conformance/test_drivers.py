"""The exact calls of two real drivers play through a volume's life, twice over, and lose no data."""

from typing import Any

import pytest
from tests.conformance.recordings import DRIVERS, Driver, Step
from tests.conformance.running import MIB, Running


class Player:
    """Plays a driver's recordings on a running proxy, with the values of one volume."""

    def __init__(self, running: Running, driver: Driver, values: dict[str, Any]) -> None:
        self._running = running
        self._driver = driver
        self.values = values

    def play(self, steps: tuple[Step, ...]) -> Any:
        """Every step; the last reply."""
        reply = None
        for step in steps:
            client = self._running.client(f"{step.group}/{self._driver.versions[step.group]}")
            sent = {name: self._fill(value) for name, value in step.send.items()}
            if step.refused:
                assert client.refused(step.rpc, **sent).status == step.refused
                continue
            reply = client(step.rpc, **sent)
            for name, wanted in step.reply.items():
                assert getattr(reply, name) == self._fill(wanted), (step.rpc, name)
            for name, field in step.keep.items():
                self.values[name] = getattr(reply, field)[0]
        return reply

    def _fill(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.startswith("{") and value.endswith("}"):
            return self.values[value[1:-1]]
        return value.format(**self.values)


def formatted_already(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same calls for a volume that has its file system: drivers ask, and then do not format."""
    return tuple(
        Step(step.group, step.rpc, step.send, {"formatted": True})
        if step.rpc == "IsVolumeFormatted"
        else step
        for step in steps
        if step.rpc != "FormatVolume"
    )


def without_size(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same calls on a disk that has grown since."""
    return tuple(step for step in steps if step.rpc not in ("GetDiskStats", "DiskStats"))


@pytest.mark.parametrize("name", DRIVERS)
def test_a_drivers_calls_carry_a_volume_through_its_life(running, claim, name):
    driver = DRIVERS[name]
    number = running.attach()
    player = Player(
        running,
        driver,
        {
            "disk": number,
            "disk_text": str(number),
            "staging": claim.staging[2:],
            "published": claim.published[2:],
        },
    )
    running.make(claim.staging)
    player.play(driver.stage)
    player.play(driver.stage_again)
    player.play(driver.publish)
    running.write(claim.published + r"\file", "data")
    player.play(driver.stats)
    running.control.grow(number, 256 * MIB)
    player.play(driver.expand)
    total, used = sizes(player.play(driver.stats))
    assert 200 * MIB < total < 256 * MIB
    assert used < total
    for _ in range(2):
        player.play(driver.unpublish)
    player.play(driver.unstage)
    assert not running.exists(claim.published)
    assert not running.exists(claim.staging)
    assert running.mount_points(player.values["volume"]) == ()

    # The next pod on this node: the volume is formatted, its disk may be offline.
    running.make(claim.staging)
    player.play(without_size(formatted_already(driver.stage)))
    player.play(driver.publish)
    assert running.read(claim.published + r"\file") == "data"
    player.play(driver.unpublish)
    player.play(driver.unstage)
    running.control.detach(number)


def sizes(reply: Any) -> tuple[int, int]:
    """Total and used bytes of either generation's statistics."""
    if hasattr(reply, "total_bytes"):
        return reply.total_bytes, reply.used_bytes
    return reply.volumeSize, reply.volumeUsedSize


@pytest.mark.parametrize("name", DRIVERS)
def test_a_disk_goes_away_under_a_driver_and_everything_can_still_be_cleaned_up(running, claim, name):
    driver = DRIVERS[name]
    number = running.attach()
    values = {
        "disk": number,
        "disk_text": str(number),
        "staging": claim.staging[2:],
        "published": claim.published[2:],
    }
    player = Player(running, driver, values)
    running.make(claim.staging)
    player.play(driver.stage)
    player.play(driver.publish)
    running.control.detach(number)
    player.play(driver.unpublish)
    for step in driver.unstage:
        if step.rpc in ("UnmountVolume", "DismountVolume", "Rmdir"):
            player.play((step,))
    assert not running.exists(claim.staging)
