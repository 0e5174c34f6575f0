"""As ``tests.crash.forked``, for a scenario with an SMB server, which comes as JSON on standard input."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.crash.forked import play
from tests.crash.share_scenarios import Server, scenarios

from csiproxy.emulator.volume import StoreKind

if __name__ == "__main__":
    server = Server(**json.loads(sys.stdin.read()))
    report = play(scenarios(server)[sys.argv[1]], Path(sys.argv[2]), StoreKind.DIRECTORY, "")
    print(json.dumps(asdict(report)))
