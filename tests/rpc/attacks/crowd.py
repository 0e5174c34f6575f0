"""``python -m tests.rpc.attacks.crowd PATH COUNT``: hold so many connections until standard input ends.

Connections that the server closes are opened again, for a while, so that the crowd pushes.
"""

import socket
import sys
from contextlib import suppress

from tests.rpc.wire import START

_ROUNDS = 3


def main() -> None:
    path, count = sys.argv[1], int(sys.argv[2])
    held: list[socket.socket] = []
    for _ in range(_ROUNDS * count):
        client = socket.socket(socket.AF_UNIX)
        with suppress(OSError):
            client.connect(path)
            client.sendall(START)
        held.append(client)
        if len(held) > count:
            held.pop(0).close()
    print("there", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
