"""The gRPC core alone, with the health service."""

import sys
import threading

from csiproxy.rpc.server import Call, Server
from csiproxy.rpc.unix import UnixListener
from csiproxy.server import health


def main() -> None:
    def answer(call: Call) -> bytes:
        return health.answer(call.method, call.message, "bench")

    server = Server(answer, quick=lambda endpoint, method: health.is_health(method))
    server.add(UnixListener(sys.argv[1], "bench"))
    server.start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
