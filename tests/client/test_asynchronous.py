"""The client for asyncio: the same calls, side by side, cancelled without harm."""

import asyncio
import threading
from threading import Event

import pytest
from tests.client.served import PATIENCE, Served

from csiproxy.client import VolumeStats
from csiproxy.errors import DeadlineExceeded, NotFound


def test_a_volumes_life_is_awaited(node, disk, place):
    async def live():
        async with node.client().asynchronous() as client:
            await client.disk.partition_disk(disk)
            [volume] = await client.volume.list_volumes_on_disk(disk)
            await client.volume.format_volume(volume)
            await client.volume.mount_volume(volume, place)
            assert await client.filesystem.is_symlink(place) is True
            assert isinstance(await client.volume.get_volume_stats(volume), VolumeStats)
            with pytest.raises(NotFound):
                await client.disk.get_disk_stats(4711)
            assert await client.system.get_bios_serial_number()
            assert isinstance(await client.csi_proxy_service.path_exists(place), bool)
            assert "disk/v1" in await client.served()

    asyncio.run(live())


class Hanging(Served):
    """Answers once it is told to."""

    def __init__(self, directory):
        self.release = Event()
        self.begun = threading.Semaphore(0)
        super().__init__(directory, self._hang, "disk/v1")

    def _hang(self, call):
        self.begun.release()
        assert self.release.wait(PATIENCE)
        return b""


@pytest.fixture
def hanging(tmp_path):
    served = Hanging(tmp_path)
    yield served
    served.release.set()
    served.close()


async def begun(served, calls=1):
    for _ in range(calls):
        assert await asyncio.to_thread(served.begun.acquire, timeout=PATIENCE)


def test_calls_go_on_side_by_side(hanging):
    async def run():
        async with hanging.client().asynchronous(threads=3) as client:
            tasks = [asyncio.create_task(client.disk.rescan()) for _ in range(3)]
            await begun(hanging, 3)
            hanging.release.set()
            await asyncio.gather(*tasks)

    asyncio.run(run())


def test_a_cancelled_call_ends_at_once_and_disturbs_no_other(hanging):
    async def run():
        async with hanging.client().asynchronous(threads=2) as client:
            cancelled = asyncio.create_task(client.disk.rescan())
            await begun(hanging)
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cancelled
            other = asyncio.create_task(client.disk.partition_disk(1))
            await begun(hanging)
            hanging.release.set()
            await other

    asyncio.run(run())
    assert [call.method for call in hanging.calls] == ["/v1.Disk/Rescan", "/v1.Disk/PartitionDisk"]


def test_a_call_that_is_cancelled_before_its_turn_is_never_made(hanging):
    async def run():
        async with hanging.client().asynchronous(threads=1) as client:
            first = asyncio.create_task(client.disk.rescan())
            await begun(hanging)
            waiting = asyncio.create_task(client.disk.partition_disk(1))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            hanging.release.set()
            await first

    asyncio.run(run())
    assert [call.method for call in hanging.calls] == ["/v1.Disk/Rescan"]


def test_waiting_for_a_thread_counts_for_the_deadline(hanging):
    async def run():
        async with hanging.client().asynchronous(threads=1) as client:
            first = asyncio.create_task(client.disk.rescan())
            await begun(hanging)
            late = asyncio.create_task(client.within(0.05).disk.partition_disk(1))
            await asyncio.sleep(0.1)
            hanging.release.set()
            await first
            with pytest.raises(DeadlineExceeded):
                await late

    asyncio.run(run())
    assert [call.method for call in hanging.calls] == ["/v1.Disk/Rescan"]
