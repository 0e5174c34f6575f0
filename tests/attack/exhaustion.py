"""Everything that a client could use up: connections, streams, memory, threads, handles, locks, time.

The client that takes all of it is this process.  Others are another process, which must be answered
meanwhile; what was taken must be free again afterwards.
"""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.attack.string_fields import NO_VOLUME, OWN
from tests.attack.suite import Attack, Result
from tests.attack.target import Answer, Own, Target
from tests.rpc.wire import START, data, framed, headers, request

from csiproxy.api import versions
from csiproxy.emulator.control import Control
from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import Code

ROOT = Path(__file__).parents[2]
_PATIENCE = 10.0
_SETTLE_SECONDS = 30.0
_CONTRACT = versions.contract("filesystem/v1")
_MEMORY = 192 << 20
_SLACK = 8


@contextmanager
def _others(target: Target, result: Result) -> Iterator[None]:
    """Another process that asks all the while, and says what was not answered in time."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.attack.bystander", target.socket(_CONTRACT), OWN, str(_PATIENCE)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()  # it has been answered once
        try:
            yield
        finally:
            told, _ = process.communicate("stop\n", timeout=120)
            answered, failures = json.loads(told)
            result.wrong(*(f"another process: {failure}" for failure in failures))
            if not answered:
                result.wrong("another process was never answered")


def _dial(target: Target) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(_PATIENCE)
    client.connect(target.socket(_CONTRACT))
    return client


def _is_back(target: Target, result: Result, what: str, before: int, now: Callable[[], int]) -> None:
    """What was taken is given back before long."""
    if not target.pid:
        return
    end = time.monotonic() + _SETTLE_SECONDS
    while (found := now()) > before + _SLACK:
        if time.monotonic() > end:
            result.wrong(f"{what}: {found} are left, of {before} before")
            return
        time.sleep(0.05)


def connections(target: Target, tries: int, seed: int) -> Result:
    """Open more connections than one process may have, and keep them."""
    result = Result()
    before = target.descriptors() if target.pid else 0
    held: list[socket.socket] = []
    with _others(target, result):
        for _ in range(max(300, min(tries, 3000))):
            with suppress(OSError):
                held.append(_dial(target))
                held[-1].sendall(START)
            result.tries += 1
            if len(held) > 600:
                held.pop(0).close()
        if target.pid and target.descriptors() > before + 256 + 2 * _SLACK:
            result.wrong(f"{target.descriptors() - before} descriptors are open for one process")
    for client in held:
        client.close()
    _is_back(target, result, "descriptors", before, target.descriptors)
    return result


def streams(target: Target, tries: int, seed: int) -> Result:
    """Open streams that never end their request, and reset others as fast as they go."""
    result = Result()
    with _others(target, result):
        for _ in range(max(1, min(tries // 400, 50))):
            with _dial(target) as client, suppress(OSError):
                client.sendall(START + b"".join(headers(2 * at + 1) for at in range(200)))
                result.tries += 200
            with _dial(target) as client, suppress(OSError):
                client.sendall(START)
                for at in range(200):
                    reset = b"\0\0\4\3\0" + (2 * at + 1).to_bytes(4, "big") + b"\0\0\0\10"
                    client.sendall(request(b"", 2 * at + 1) + reset)
                    result.tries += 1
    return result


def memory(target: Target, tries: int, seed: int) -> Result:
    """Send the largest requests on many connections, and leave each unfinished."""
    result = Result()
    before = target.resident() if target.pid else 0
    body = data(framed(bytes(4 << 20)), end=False)[:-1]
    held: list[socket.socket] = []
    with _others(target, result):
        for _ in range(max(24, min(tries // 500, 64))):
            with suppress(OSError):
                held.append(_dial(target))
                held[-1].settimeout(0.2)
                held[-1].sendall(START + headers() + body)
            result.tries += 1
        if target.pid and (grown := target.resident() - before) > _MEMORY:
            result.wrong(f"{grown >> 20} MiB were held for one process")
    for client in held:
        client.close()
    return result


def rate(target: Target, tries: int, seed: int) -> Result:
    """Call as fast as it goes, without waiting for answers: refused by the rail, while others are served."""
    result = Result()
    wanted = 30_000
    with _others(target, result), _dial(target) as client:
        question = framed(b"")
        client.sendall(START)
        reader = threading.Thread(target=_drain, args=(client,), daemon=True)
        reader.start()
        with suppress(OSError):
            for at in range(0, wanted, 50):
                parts = (headers(2 * n + 1) + data(question, 2 * n + 1) for n in range(at, at + 50))
                client.sendall(b"".join(parts))
                result.tries += 50
                time.sleep(0.002)
        refused = target.call("filesystem/v1", "PathExists", path=OWN)
        # What one connection may do alone may be less than the rate allows; then it has simply been closed.
        if refused.code is Code.RESOURCE_EXHAUSTED and refused.rail != "caller-rate":
            result.wrong(f"refused by {refused.rail or 'nothing'}: {refused.text}")
    return result


def _drain(client: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(1 << 16):
            pass


def _many(count: int, call: Callable[[], Answer]) -> list[Answer]:
    """The same call from many threads at once."""
    found: list[Answer] = []

    def run() -> None:
        found.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def threads(own: Own, tries: int, seed: int) -> Result:
    """Let every blocking call hang in the host: questions and health are answered all the same."""
    result = Result()
    target = own.target
    before = target.threads()
    calling: list[threading.Thread] = []
    with Control(own.ground.node) as control, _others(target, result):
        for _ in range(100):
            control.order(Fault("MSFT_Volume", Action.HANG))
        for _ in range(60):
            calling.append(
                threading.Thread(
                    target=target.call, args=("volume/v1", "GetVolumeStats"), kwargs={"volume_id": NO_VOLUME}
                )
            )
            calling[-1].start()
            result.tries += 1
        time.sleep(1.0)
        if target.threads() > 48:
            result.wrong(f"{target.threads()} threads run")
        if problem := target.healthy():
            result.wrong(problem)
        control.clear_faults()
    for thread in calling:
        thread.join()
    target.close()
    _is_back(target, result, "threads", max(before, 40), target.threads)
    return result


def handles(target: Target, tries: int, seed: int) -> Result:
    """Failing walks, deep trees and links in the way leave no handle open."""
    result = Result()
    contract = "filesystem/v1"
    target.call(contract, "Mkdir", path=OWN + r"\a\b\c")
    target.call(contract, "CreateSymlink", source_path=OWN + r"\a", target_path=OWN + r"\link")
    before = target.descriptors() if target.pid else 0
    for _ in range(max(20, min(tries // 10, 1000))):
        for path in (OWN + r"\none\x", OWN + r"\link\b", OWN + "\\a" * 60, OWN + r"\a\b\c", r"C:\outside"):
            target.call(contract, "PathExists", path=path)
            target.call(contract, "Rmdir", path=path + r"\none", force=False)
            result.tries += 2
    target.call(contract, "Rmdir", path=OWN, force=True)
    _is_back(target, result, "descriptors", before, target.descriptors)
    return result


def locks(own: Own, tries: int, seed: int) -> Result:
    """Crowd on one disk that hangs: the crowd is refused by ABORTED, another disk is served."""
    result = Result()
    target = own.target
    answers: list[Answer] = []
    with Control(own.ground.node) as control:
        control.order(Fault("MSFT_Disk.Online", Action.HANG))
        control.order(Fault("MSFT_Disk.Offline", Action.HANG))

        def switch() -> Answer:
            return target.call("disk/v1", "SetDiskState", disk_number=2, is_online=False)

        crowd = threading.Thread(target=lambda: answers.extend(_many(24, switch)))
        crowd.start()
        time.sleep(1.0)
        other = target.call("disk/v1", "SetDiskState", disk_number=1, is_online=True)
        if not other.done:
            result.wrong(f"another disk is not served: {other.code.name} {other.text}")
        if problem := target.healthy():
            result.wrong(problem)
        control.clear_faults()
        crowd.join()
    result.tries = len(answers)
    if not any(answer.code is Code.ABORTED for answer in answers):
        result.wrong("nobody was told that too many wait")
    result.wrong(*(f"{a.code.name} {a.text}" for a in answers if a.code not in (Code.OK, Code.ABORTED)))
    target.call("disk/v1", "SetDiskState", disk_number=2, is_online=True)
    return result


ATTACKS = (
    Attack("exhaustion: connections", "others are answered; 128 a process", connections),
    Attack("exhaustion: streams", "others are answered; 100 a connection", streams),
    Attack("exhaustion: memory", f"others are answered; {_MEMORY >> 20} MiB", memory),
    Attack("exhaustion: calls", "others are answered; the rail's name is told", rate),
    Attack("exhaustion: threads", "health is answered; 48 threads", run_own=threads),
    Attack("exhaustion: handles", "none is left open", handles),
    Attack("exhaustion: locks", "16 wait, others are served", run_own=locks),
)
