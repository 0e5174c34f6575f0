"""The Python SDK under asyncio: eight disks are made ready side by side."""

import asyncio

from csiproxy import connect
from csiproxy.testing import Node


async def prepare(client, number: int) -> str:
    await client.disk.partition_disk(number)
    [volume] = await client.volume.list_volumes_on_disk(number)
    await client.volume.format_volume(volume)
    return volume


async def run(node: Node, numbers: list[int]) -> None:
    async with connect(node.endpoints).asynchronous() as client:
        volumes = await asyncio.gather(*(prepare(client, number) for number in numbers))
        print(f"{len(set(volumes))} volumes are formatted")


def main() -> None:
    with Node.temporary() as node:
        asyncio.run(run(node, [node.attach().number for _ in range(8)]))


if __name__ == "__main__":
    main()
