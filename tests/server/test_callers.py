"""What one caller may take, by rate and connections; others are served all the while."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.attack.target import Answer, Own, own
from tests.rpc.wire import START, headers

from csiproxy.api import versions
from csiproxy.errors import Code

RATE = 40
_ACKNOWLEDGED = b"\0\0\0\4\1"
PATH = r"C:\var\lib\kubelet\pods"


@pytest.fixture(scope="module")
def strict() -> Iterator[Own]:
    with own("--caller-rate", str(RATE), "--caller-connections", "3") as made:
        yield made


def ask(made: Own) -> Answer:
    return made.target.call("filesystem/v1", "PathExists", path=PATH)


def test_who_calls_too_often_is_told_which_rail_and_whose_flag(strict: Own) -> None:
    answers = [ask(strict) for _ in range(30 * RATE)]
    refused = [answer for answer in answers if not answer.done]
    assert len(answers) - len(refused) >= 10 * RATE
    assert refused
    assert {(answer.code, answer.rail) for answer in refused} == {(Code.RESOURCE_EXHAUSTED, "caller-rate")}
    assert "--caller-rate" in refused[0].text
    assert _another_process(strict) == "OK"
    rules = [record.get("rule") for record in strict.target.records() if record.get("decision") == "refused"]
    assert "caller-rate" in rules


def test_who_opens_too_many_connections_is_hung_up_on_and_recorded(strict: Own) -> None:
    path = strict.target.socket(versions.contract("filesystem/v1"))
    strict.target.close()
    with ExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(4)]
        for client in clients[:3]:  # each in the middle of a request
            client.connect(path)
            client.sendall(START + headers())
            _await_acknowledgement(client)
        clients[3].connect(path)
        clients[3].settimeout(30)
        assert clients[3].recv(1) == b""
        assert _another_process(strict) == "OK"
    events = [record for record in strict.target.records() if record.get("event") == "connections-refused"]
    [told] = events
    assert (told["event"], told["rail"], told["pid"]) == (
        "connections-refused",
        "caller-connections",
        os.getpid(),
    )


def _await_acknowledgement(client: socket.socket) -> None:
    """Wait until the proxy has read the settings, and with them what came along."""
    client.settimeout(30)
    seen = b""
    while _ACKNOWLEDGED not in seen:
        seen += client.recv(100)


def _another_process(strict: Own) -> str:
    program = (
        "from tests.attack.target import Target; import sys;"
        f"print(Target(sys.argv[1]).call('filesystem/v1', 'PathExists', path={PATH!r}).code.name)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, strict.target.endpoints],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return told.stdout.strip()
