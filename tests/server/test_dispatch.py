"""A call in, an answer out: every call gets an answer and a record, whatever it is."""

import threading
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.ground import KUBELET, Running, emulated, serving

from csiproxy.api import status_details, versions
from csiproxy.errors import (
    Aborted,
    Code,
    CsiProxyError,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
    Unavailable,
    WindowsCode,
)
from csiproxy.operations.context import Context
from csiproxy.operations.filesystem import PathExists
from csiproxy.operations.secret import Secret
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.status import RpcError


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    with emulated(tmp_path_factory.mktemp("node")) as running:
        yield running


class Failing:
    """A filesystem group whose every answer is the failure that it was made with."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure

    def path_exists(self, context: Context, *, path: str) -> PathExists:
        raise self.failure


@dataclass
class Served:
    filesystem: object = None
    csi_proxy_service: object = None
    smb: object = None


def last(proxy: Running) -> dict:
    return proxy.audit.records()[-1]


@pytest.mark.parametrize("contract", ["filesystem/v1alpha1", "filesystem/v1", "filesystem/v2alpha1"])
def test_every_version_reaches_the_one_operation(proxy, contract):
    assert proxy.call(contract, "PathExists", path=KUBELET + r"\pods")["exists"] is True
    assert proxy.call(contract, "PathExists", path=KUBELET + r"\nothing")["exists"] is False


def test_a_call_leaves_one_record_in_its_versions_own_names(proxy):
    before = len(proxy.audit.written)
    with pytest.raises(RpcError):
        proxy.call("disk/v1beta1", "DiskStats", diskID="77")
    records = proxy.audit.records()[before:]
    assert len(records) == 1
    assert records[0]["endpoint"] == "csi-proxy-disk-v1beta1"
    assert records[0]["rpc"] == "/v1beta1.Disk/DiskStats"
    assert records[0]["arguments"] == {"diskID": "77"}
    assert (records[0]["outcome"], records[0]["windows_code"]) == ("NOT_FOUND", 1168)


def test_an_old_versions_client_is_told_of_its_own_field(proxy):
    with pytest.raises(RpcError, match="diskID") as caught:
        proxy.call("disk/v1beta1", "DiskStats", diskID="disk two")
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_an_unknown_method_is_unimplemented_names_what_there_is_and_is_recorded(proxy):
    with pytest.raises(RpcError, match="ListDiskIDs") as caught:
        proxy.send("disk/v1", "/v1.Disk/Explode", b"")
    assert caught.value.code is Code.UNIMPLEMENTED
    assert (last(proxy)["rpc"], last(proxy)["outcome"]) == ("/v1.Disk/Explode", "UNIMPLEMENTED")


def test_a_method_of_another_version_is_unknown_on_this_endpoint(proxy):
    with pytest.raises(RpcError) as caught:
        proxy.send("disk/v1", "/v1beta1.Disk/ListDiskIDs", b"")
    assert caught.value.code is Code.UNIMPLEMENTED


@pytest.mark.parametrize("contract", ["filesystem/v1", "csi-proxy/v1beta1"])
@pytest.mark.parametrize("message", [b"\xff", b"\x0a\x02\xff\xfe", b"\x0a\xff\xff\xff\xff\x0f"])
def test_an_unreadable_message_is_a_status_and_is_recorded(proxy, contract, message):
    service = versions.contract(contract).service
    with pytest.raises(RpcError) as caught:
        proxy.send(contract, f"/{service}/PathExists", message)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert last(proxy)["arguments"] is None


def test_unknown_fields_are_dropped(proxy):
    method = "/v1.Filesystem/PathExists"
    text = (KUBELET + r"\pods").encode()
    message = b"\x0a" + bytes([len(text)]) + text + b"\xfa\x07\x03abc"
    assert proxy.send("filesystem/v1", method, message) == b"\x08\x01"


def test_a_group_without_operations_is_unimplemented_and_its_secret_is_masked():
    with serving(Served()) as proxy:
        with pytest.raises(RpcError) as caught:
            proxy.call("smb/v1", "NewSmbGlobalMapping", remote_path=r"\\server\share", password="hunter2")
        assert caught.value.code is Code.UNIMPLEMENTED
        assert last(proxy)["arguments"]["password"] == "***"
        assert b"hunter2" not in b"".join(proxy.audit.written)


def test_the_service_says_what_it_cannot_do_in_its_reply():
    with serving(Served()) as proxy:
        reply = proxy.call(
            "csi-proxy/v1beta1", "MountSMBShare", remote_share=r"\\server\share", password="hunter2"
        )
        assert reply == {"error_code": 50}
        assert (last(proxy)["outcome"], last(proxy)["windows_code"]) == ("UNIMPLEMENTED", 50)
        assert b"hunter2" not in b"".join(proxy.audit.written)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (r"C:\var\lib\kubelet\pods\a?b", 123),
        (r"\\server\share", 161),
        (r"C:\Windows\x", 5),
        (r"C:\var\lib\kubelet\pods" + "\\x" * 200, 206),
    ],
)
def test_the_services_failures_are_codes_of_a_reply(proxy, path, code):
    assert proxy.call("csi-proxy/v1beta1", "PathExists", path=path) == {"exists": False, "error_code": code}


def test_an_unknown_enum_number_is_87_for_the_service_and_invalid_argument_for_a_group(proxy):
    mkdir = b"\x0a\x06C:\\var" + b"\x10\x09"
    assert proxy.send("csi-proxy/v1beta1", "/csiproxy.v1beta1.CSIProxyService/Mkdir", mkdir) == b"\x08\x57"
    with pytest.raises(RpcError) as caught:
        proxy.send("filesystem/v1beta1", "/v1beta1.Filesystem/Mkdir", mkdir)
    assert caught.value.code is Code.INVALID_ARGUMENT


def test_a_refusal_carries_the_windows_code_in_its_details(proxy):
    with pytest.raises(RpcError) as caught:
        proxy.call("filesystem/v1", "Mkdir", path=r"C:\Windows\x")
    details = status_details.decode(caught.value.details)
    assert details is not None
    assert (caught.value.code, details.windows_code) == (Code.PERMISSION_DENIED, 5)


def test_notes_of_the_operation_are_in_the_record(tmp_path):
    with emulated(tmp_path / "node") as proxy:
        pods = tmp_path / "node" / "c" / "var" / "lib" / "kubelet" / "pods"
        (pods / "planted").symlink_to("/etc")
        with pytest.raises(RpcError) as caught:
            proxy.call("filesystem/v1", "Mkdir", path=KUBELET + r"\pods\planted\x")
        assert caught.value.code is Code.PERMISSION_DENIED
        (note,) = last(proxy)["notes"]
        assert note["event"] == "escape-attempt"


FAILURES = [
    InvalidArgument("bad"),
    NotFound("gone", WindowsCode.PATH_NOT_FOUND),
    FailedPrecondition("not now"),
    Aborted("busy"),
    ResourceExhausted("full", WindowsCode.DISK_FULL),
]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_failures_class_is_the_groups_status_and_its_code_the_services(failure: CsiProxyError):
    failing = Failing(failure)
    with serving(Served(failing, failing)) as proxy:
        with pytest.raises(RpcError) as caught:
            proxy.call("filesystem/v1", "PathExists", path="x")
        assert (caught.value.code, caught.value.message) == (failure.code, str(failure))
        assert proxy.call("csi-proxy/v1alpha1", "PathExists", path="x")["error_code"] == failure.windows_code


@pytest.mark.parametrize(
    "failure", [DeadlineExceeded("late"), Unavailable("no host"), ResourceExhausted("limit")]
)
def test_what_is_about_the_call_is_a_status_for_the_service_too(failure: CsiProxyError):
    with serving(Served(None, Failing(failure))) as proxy:
        with pytest.raises(RpcError) as caught:
            proxy.call("csi-proxy/v1beta1", "PathExists", path="x")
        assert caught.value.code is failure.code


@pytest.mark.parametrize(
    "fault",
    [ValueError("C:\\secret\\path"), MemoryError(), RecursionError(), KeyboardInterrupt(), SystemExit(3)],
)
def test_a_fault_of_the_program_ends_the_call_alone_and_tells_nothing(fault: BaseException):
    failing = Failing(fault)
    with serving(Served(failing, failing)) as proxy:
        with pytest.raises(RpcError, match="incident") as caught:
            proxy.call("filesystem/v1", "PathExists", path="top-secret-path")
        assert caught.value.code is Code.INTERNAL
        assert "secret" not in caught.value.message
        assert "top-secret-path" not in proxy.log.getvalue()
        assert type(fault).__name__ in proxy.log.getvalue()
        # The service's clients get a code; a fault has no better one than "general failure".
        assert proxy.call("csi-proxy/v1beta1", "PathExists", path="x")["error_code"] == 31
        failing.failure = NotFound("alive")
        with pytest.raises(RpcError, match="alive"):
            proxy.call("filesystem/v1", "PathExists", path="x")


class Mapping:
    """An smb group that says aloud what it got."""

    def __init__(self) -> None:
        self.got: list[object] = []

    def new_smb_global_mapping(
        self, context: Context, *, remote_path: str, local_path: str, username: str, password: Secret
    ) -> None:
        self.got.append((password, password == Secret("hunter2")))
        raise FailedPrecondition(f"cannot map {remote_path} with {password}")


def test_a_secret_reaches_its_operation_and_nothing_else():
    smb = Mapping()
    with serving(Served(smb=smb)) as proxy:
        with pytest.raises(RpcError, match=r"with \*\*\*"):
            proxy.call("smb/v1", "NewSmbGlobalMapping", remote_path=r"\\s\x", password="hunter2")
        assert smb.got == [(Secret(""), True)]  # what it was given is overwritten by now
        assert b"hunter2" not in b"".join(proxy.audit.written)
        assert "hunter2" not in proxy.log.getvalue()


@settings(max_examples=60)
@given(message=st.binary(max_size=200), data=st.data())
def test_whatever_bytes_a_call_holds_it_gets_an_answer(proxy, message, data):
    contract = data.draw(st.sampled_from(versions.CONTRACTS))
    rpc = data.draw(st.sampled_from(contract.rpcs))
    before = len(proxy.audit.written)
    try:
        proxy.send(contract.name, f"/{contract.service}/{rpc}", message)
    except RpcError as error:
        assert error.code is not Code.INTERNAL, error.message
    assert len(proxy.audit.written) == before + 1


def test_quick_calls_are_health_and_questions_about_paths(proxy):
    quick = proxy.proxy._server._shared.quick
    assert quick("csi-proxy-filesystem-v1", "/v1.Filesystem/PathExists")
    assert quick("csi-proxy-disk-v1", "/grpc.health.v1.Health/Check")
    assert not quick("csi-proxy-filesystem-v1", "/v1.Filesystem/Mkdir")


class Waiting:
    """A filesystem group whose calls wait until they are let go."""

    def __init__(self) -> None:
        self.entered, self.let_go = threading.Semaphore(0), threading.Event()

    def mkdir(self, context: Context, *, path: str) -> None:
        self.entered.release()
        self.let_go.wait(20)


def test_calls_that_never_run_are_recorded_as_well():
    """One runs, one waits in line until its deadline, one finds no room: three records."""
    waiting = Waiting()
    limits = Limits(blocking_threads=1, queued_calls=1)
    running = Running(versions.select(["filesystem/v1"], []), Served(waiting), limits)
    codes: list[Code] = []

    def call(timeout: float) -> None:
        try:
            running.send("filesystem/v1", "/v1.Filesystem/Mkdir", b"", timeout)
        except RpcError as error:
            codes.append(error.code)

    first = threading.Thread(target=call, args=(20.0,))
    first.start()
    assert waiting.entered.acquire(timeout=10)
    second = threading.Thread(target=call, args=(1.5,))
    second.start()
    refused: list[Code] = []
    while not refused:  # the second may not be in line yet; whoever comes first waits
        try:
            running.send("filesystem/v1", "/v1.Filesystem/Mkdir", b"", 0.05)
        except RpcError as error:
            if error.code is Code.RESOURCE_EXHAUSTED:
                refused.append(error.code)
    second.join(20)
    ended = {"DEADLINE_EXCEEDED", "CANCELLED"}  # the server's clock or the client's word, whichever is first
    while not ended & {record["outcome"] for record in running.audit.records()}:
        first.join(0.001)
    waiting.let_go.set()
    first.join(20)
    running.stop()
    outcomes = [record["outcome"] for record in running.audit.records()]
    assert codes == [Code.DEADLINE_EXCEEDED]
    assert {"OK", "RESOURCE_EXHAUSTED"} <= set(outcomes)
    assert all(record["rpc"] == "/v1.Filesystem/Mkdir" for record in running.audit.records())
