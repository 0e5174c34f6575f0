"""The way of one RPC between its version's messages and the operation."""

import pytest

from csiproxy.api import versions
from csiproxy.errors import Code, FailedPrecondition, NotFound, ResourceExhausted, Unavailable, WindowsCode
from csiproxy.operations.context import Context
from csiproxy.operations.disk import GetDiskStats
from csiproxy.rpc.status import RpcError
from csiproxy.server import route
from csiproxy.server.binder import ShapeError


class Disks:
    def __init__(self) -> None:
        self.asked: list[int] = []

    def get_disk_stats(self, context: Context, *, disk_number: int) -> GetDiskStats:
        self.asked.append(disk_number)
        return GetDiskStats(disk_number * 1000)


class Served:
    def __init__(self) -> None:
        self.disk = Disks()


def find(contract: str, rpc: str, operations: object):
    found = versions.contract(contract)
    return route.find(found, f"/{found.service}/{rpc}", operations)


def test_an_old_versions_request_reaches_the_operation_and_its_reply_comes_back_in_its_form():
    served = Served()
    way = find("disk/v1beta1", "DiskStats", served)
    message = way.method.request(diskID="7").SerializeToString()
    reply = way.write(way.run(Context(), message, way.decode(message)))
    assert served.disk.asked == [7]
    assert way.method.reply.FromString(reply).diskSize == 7000


def test_an_unknown_path_has_no_route():
    assert find("disk/v1", "Nothing", Served()) is None


def test_a_message_of_garbage_is_no_call():
    with pytest.raises(RpcError) as caught:
        find("disk/v1", "GetDiskStats", Served()).decode(b"\xff")
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_groups_failure_has_no_reply():
    assert find("disk/v1", "GetDiskStats", Served()).reply_for(NotFound("gone")) is None


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (NotFound("gone"), 1168),
        (FailedPrecondition("no", 0x80070005), 0x80070005 - (1 << 32)),
        (FailedPrecondition("no", 0), 31),
        (ResourceExhausted("full", WindowsCode.DISK_FULL), 112),
        (Unavailable("no server", WindowsCode.BAD_NETPATH), 53),
    ],
)
def test_the_services_failure_is_a_reply_whose_code_is_never_success(failure, code):
    way = find("csi-proxy/v1beta1", "Rescan", object())
    assert way.method.reply.FromString(way.reply_for(failure)).error_code == code


@pytest.mark.parametrize("failure", [Unavailable("no host"), ResourceExhausted("a limit")])
def test_what_is_no_matter_of_storage_has_no_reply_in_the_service_either(failure):
    assert find("csi-proxy/v1beta1", "Rescan", object()).reply_for(failure) is None


class Misfit:
    class disk:  # noqa: N801
        @staticmethod
        def get_disk_stats(context: Context, *, number: int) -> GetDiskStats:
            return GetDiskStats(number)


def test_an_operation_that_does_not_fit_its_rpc_is_found_out():
    with pytest.raises(ShapeError):
        find("disk/v1", "GetDiskStats", Misfit())
    complaints = list(route.misfits(versions.contract("disk/v1"), Misfit()))
    assert any("get_disk_stats" in complaint for complaint in complaints)
    assert any("there is no operation disk.rescan" in complaint for complaint in complaints)
