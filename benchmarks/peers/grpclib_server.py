"""grpclib with its own health service."""

import asyncio
import sys

from grpclib.health.service import Health
from grpclib.server import Server


async def main() -> None:
    server = Server([Health()])
    await server.start(path=sys.argv[1])
    print("ready", flush=True)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
