"""Any message as a call of an emulated node: what a proxy of any release, or a stranger, may send it.

An input is calls, each behind two bytes of length.  Only the two ports' calls are there, not the operator's:
those take any path of the host.  The node goes on from input to input.
"""

import os
from collections.abc import Iterable
from functools import cache

from csiproxy.emulator import wire
from csiproxy.emulator.calls import Arguments, Call, namespace_calls, perform, session_calls
from csiproxy.emulator.wire import WireError
from csiproxy.errors import HostError
from csiproxy.host.cim import Instance
from fuzz.broken import demand
from fuzz.cuts import Cuts, joined
from fuzz.targets.endpoints import groups, machine

_MOST_CALLS = 6
_WITHOUT_DIRECTORY = ("instances", "associated", "invoke", "mount_points", "storage_device")


@cache
def _calls() -> dict[str, Call]:
    groups()  # with a disk that has a volume
    return {**session_calls(machine().session), **namespace_calls(machine().links)}


@cache
def _pods() -> int:
    return os.open(os.path.join(machine().directory, "c", "var", "lib", "kubelet", "pods"), os.O_RDONLY)


def run(data: bytes) -> None:
    """Make the calls: each has an answer with a wire form, fails with a HostError, or is no call."""
    for _, message in zip(range(_MOST_CALLS), Cuts(data).pieces(2), strict=False):
        try:
            request = wire.decode(message)
        except WireError:
            continue
        if not isinstance(request, wire.Request) or request.call not in _calls():
            continue
        try:
            directory = None if request.call in _WITHOUT_DIRECTORY else _pods()
            value = perform(_calls()[request.call], Arguments(request.arguments, directory))
            answer: wire.Reply | wire.Failure = wire.Reply(value)
        except HostError as error:
            answer = wire.Failure(error)
        demand(len(wire.encode(answer)) > 0, "an answer has a wire form")


def seeds() -> Iterable[bytes]:
    """Every call as a proxy makes it."""
    volume = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"
    disk = Instance("MSFT_Disk", "x", {"Number": 2, "ObjectId": "x"})
    requests = [
        wire.Request("instances", ("MSFT_Disk", {"Number": 2})),
        wire.Request("instances", ("MSFT_Volume", {})),
        wire.Request("associated", (disk, "MSFT_DiskToPartition", "MSFT_Partition", "")),
        wire.Request("invoke", (disk, "Initialize", {"PartitionStyle": 2})),
        wire.Request("invoke", ("MSFT_StorageSetting", "UpdateHostStorageCache", {})),
        wire.Request("describe", (("a", "b"),)), wire.Request("set_link", ("a", r"C:\var\lib\kubelet", True)),
        wire.Request("set_mount_point", ("a", volume)), wire.Request("delete_mount_point", ("a", volume)),
        wire.Request("mounted", ("a",)), wire.Request("mount_points", (volume,)),
        wire.Request("final_path", ()), wire.Request("storage_device", (r"\\?\scsi#disk",)),
    ]  # fmt: skip
    yield from (joined([wire.encode(request)], 2) for request in requests)
    yield joined([wire.encode(request) for request in requests[5:10]], 2)
