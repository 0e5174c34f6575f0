"""The gRPC core alone, with the health service."""

import sys
import threading

from csiproxy.rpc.limits import Limits
from csiproxy.rpc.server import Call, Server
from csiproxy.rpc.unix import UnixListener
from csiproxy.server import health

# No caller is too fast for a benchmark; the rate is looked at all the same.
FAST = Limits(calls_per_client=10**9, calls_per_second_per_client=1e9)


def main() -> None:
    def answer(call: Call) -> bytes:
        return health.answer(call.method, call.message, "bench")

    server = Server(answer, quick=lambda endpoint, method: health.is_health(method), limits=FAST)
    server.add(UnixListener(sys.argv[1], "bench"))
    server.start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
