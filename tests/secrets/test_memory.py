"""No copy of a secret is left in the proxy's memory when its call is over, whatever came of the call.

The memory is read from outside, as a dump would show it.  What is promised is about requests of one frame (16
KiB) in the proxy on CPython; docs/security.md says what is not.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest
from tests.attack.string_fields import Place, places
from tests.attack.target import Own, own
from tests.rpc.wire import START, data, framed, headers
from tests.secrets.memory import found

from csiproxy.api import versions
from csiproxy.api.redaction import is_secret
from csiproxy.emulator.control import Control
from csiproxy.emulator.faults import Action, Fault

# Each part alone would tell a piece of it as well.
SECRET = "Zq7xHushW0rd-kept"
SHORT = SECRET[:16]  # of CHAP
WIDE = "Zq7xШшшHush"

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or sys.implementation.name != "cpython",
    reason="reads /proc of Linux, and promises this of CPython",
)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Own]:
    with own() as made:
        yield made


def secret_places() -> list[Place]:
    """Every secret field of every version."""
    return [
        place
        for place in places(list(versions.CONTRACTS))
        if is_secret(place.method.request.DESCRIPTOR.fields_by_name[place.names[0]])
    ]


def left(made: Own, *texts: str) -> list[bytes]:
    """What is left of some texts, once the thread that answered is done with the call as well."""
    end = time.monotonic() + 5
    while copies := [copy for text in texts for copy in found(made.target.pid, text)]:
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return copies


def test_what_is_looked_for_is_found_where_it_is() -> None:
    assert found(os.getpid(), SECRET)
    assert found(os.getpid(), WIDE)


@pytest.mark.parametrize("place", secret_places(), ids=str)
@pytest.mark.parametrize(
    "text", [SECRET, SHORT, WIDE, SECRET * 200], ids=["long", "chap", "wide", "too long"]
)
def test_no_copy_is_left_of_a_secret(proxy: Own, place: Place, text: str) -> None:
    request = place.request(text)
    for name in ("auth_type",):
        if name in request.DESCRIPTOR.fields_by_name:
            setattr(request, name, 1)
    proxy.target.send(place.contract, place.method, request)
    assert left(proxy, SECRET[:12], WIDE) == []


def mapping(version: str, secret: str) -> bytes:
    contract = versions.contract(version)
    method = contract.methods()[f"/{contract.service}/NewSmbGlobalMapping"]
    request = method.request(remote_path=r"\\nobody.invalid\share", username=r"D\u", password=secret)
    return bytes(request.SerializeToString())


def smb_wire(message: bytes) -> bytes:
    head = (
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", b"/v1.Smb/NewSmbGlobalMapping"),
        (b":authority", b"localhost"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
    )
    return START + headers(head=head) + data(framed(message))


@pytest.mark.parametrize("step", [1, 7, 40])
def test_no_copy_is_left_of_a_request_that_came_in_pieces(proxy: Own, step: int) -> None:
    wire = smb_wire(mapping("smb/v1", SECRET))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(proxy.target.socket(versions.contract("smb/v1")))
        client.settimeout(30)
        for at in range(0, len(wire), step):
            client.sendall(wire[at : at + step])
            time.sleep(0.001)
        seen = b""
        while b"cannot" not in seen:
            seen += client.recv(1 << 16)
        # The connection is still open, so nothing is owed to its end.
        assert left(proxy, SECRET[:12]) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m + b"\xff",
        lambda m: m[:-1],
        lambda m: m.replace(b"kept", b"\xff\xfe\xfd\xfc"),
        lambda m: m + m,
    ],
    ids=["unreadable", "cut", "no text", "twice"],
)
def test_no_copy_is_left_of_a_request_that_is_odd(proxy: Own, spoil) -> None:
    contract = versions.contract("smb/v1")
    message = spoil(mapping("smb/v1", SECRET))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(proxy.target.socket(contract))
        client.settimeout(30)
        client.sendall(smb_wire(message))
        seen = b""
        while len(seen) < 120:
            seen += client.recv(1 << 16)
        assert left(proxy, SECRET[:12]) == []


def test_a_secret_is_there_only_as_long_as_its_call_runs(proxy: Own) -> None:
    target = proxy.target
    with Control(proxy.ground.node) as control:
        control.order(Fault("MSFT_SmbGlobalMapping", Action.HANG))
        contract = versions.contract("smb/v1")
        method = contract.methods()["/v1.Smb/NewSmbGlobalMapping"]
        request = method.request(remote_path=r"\\nobody.invalid\share", username=r"D\u", password=SECRET)
        calling = threading.Thread(target=target.send, args=(contract, method, request))
        calling.start()
        end = time.monotonic() + 30
        while not found(target.pid, SECRET) and time.monotonic() < end:
            time.sleep(0.05)
        assert found(target.pid, SECRET)
        control.clear_faults()
        calling.join()
    assert left(proxy, SECRET[:12]) == []


def test_no_secret_is_anywhere_else(proxy: Own) -> None:
    for place in secret_places():
        proxy.target.send(place.contract, place.method, place.request(SECRET))
    for pid in (proxy.target.pid, proxy.node_pid):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert SECRET[:12].encode() not in file.read()
    kept = []
    for base, _, names in os.walk(proxy.ground.directory):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not path.endswith(".img"):
                with open(path, "rb") as file:
                    kept += [path] if SECRET[:12].encode() in file.read() else []
    assert kept == []


def test_a_crash_leaves_no_file_with_the_memory(proxy: Own) -> None:
    with open(f"/proc/{proxy.target.pid}/limits") as file:
        [line] = [line for line in file if line.startswith("Max core file size")]
    assert line.split()[4:6] == ["0", "0"]
