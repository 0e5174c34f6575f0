"""``python -m tests.attack.bystander SOCKET PATH SECONDS``: somebody else, who must be answered.

Prints a line once it has been answered, calls until its standard input says something, and then prints how
often it was answered and what was not, as one line of JSON.
"""

import json
import sys
import threading
import time

from csiproxy.api import versions
from csiproxy.rpc import unix
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.status import RpcError

_PAUSE = 0.02
_MOST_TOLD = 5


def main() -> None:
    """Call until told to stop."""
    path, asked, patience = sys.argv[1], sys.argv[2], float(sys.argv[3])
    contract = versions.contract("filesystem/v1")
    method = contract.methods()[f"/{contract.service}/PathExists"]
    question = method.request(path=asked).SerializeToString()
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    answered, failures = 0, []
    while not stop.wait(_PAUSE):
        started = time.monotonic()
        try:
            # A connection of its own for each: who is new is served, too.
            with Channel(lambda: unix.connect(path)) as channel:
                channel.call(f"/{contract.service}/PathExists", question, timeout=patience)
        except (RpcError, OSError) as error:
            failures.append(f"{error} after {time.monotonic() - started:.1f} s")
        else:
            answered += 1
            if answered == 1:
                print("there", flush=True)
        if len(failures) >= _MOST_TOLD:
            break
    print(json.dumps([answered, failures]), flush=True)


if __name__ == "__main__":
    main()
