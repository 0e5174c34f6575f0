"""The proxy without ``--host``: it manages the machine's own storage, as far as Wine has any."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import find_foreign
from tests.wine import go_programs
from tests.wine.serving import Caller, Refused, Served, serving
from tools.wine.prefix import Prefix

from csiproxy.api.filesystem import v1_pb2 as filesystem

pytestmark = pytest.mark.wine

KUBELET = r"C:\var\lib\kubelet"
PODS = KUBELET + r"\pods"


@pytest.fixture(scope="module")
def served(wine: Prefix) -> Iterator[Served]:
    with serving(wine, None) as served:
        yield served


@pytest.fixture
def kubelet(wine: Prefix) -> Path:
    path = wine.drive_c / "var" / "lib" / "kubelet"
    (path / "pods").mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture(scope="module")
def call(wine: Prefix, served: Served) -> Iterator[Caller]:
    made = Caller(wine)
    yield made
    made.close()


def test_directories_are_made_seen_and_removed_for_real(call, kubelet) -> None:
    path = PODS + r"\a\b"
    assert call("filesystem/v1", "PathExists", path=path) == {"exists": False}
    call("filesystem/v1", "Mkdir", path=path)
    assert (kubelet / "pods" / "a" / "b").is_dir()
    call("filesystem/v1", "Mkdir", path=path.upper().replace("C:", "c:"))
    assert call("filesystem/v1", "PathExists", path=path.upper()) == {"exists": True}
    assert call("filesystem/v1", "IsSymlink", path=path) == {"is_symlink": False}
    (kubelet / "pods" / "a" / "b" / "file").write_text("data")
    with pytest.raises(Refused) as refused:
        call("filesystem/v1", "Rmdir", path=path, force=False)
    assert (refused.value.code, refused.value.status) == (145, "FAILED_PRECONDITION")
    assert (kubelet / "pods" / "a" / "b" / "file").read_text() == "data"
    call("filesystem/v2alpha1", "RmdirContents", path=path)
    call("filesystem/v1", "Rmdir", path=path, force=False)
    call("filesystem/v1", "Rmdir", path=PODS + r"\a", force=True)
    assert list((kubelet / "pods").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (r"C:\Windows\Temp\x", 5),
        (r"C:\var\lib\kubelet-evil\x", 5),
        (KUBELET + r"\..\x", 123),
        (KUBELET, 5),
        (r"\\server\share\x", 161),
    ],
)
def test_nothing_outside_of_the_prefixes_is_touched(call, kubelet, path, code) -> None:
    with pytest.raises(Refused) as refused:
        call("filesystem/v1", "Rmdir", path=path, force=True)
    assert refused.value.code == code
    assert (kubelet / "pods").is_dir()


def test_a_link_that_this_windows_cannot_have_is_refused_and_leaves_nothing(call, kubelet) -> None:
    (kubelet / "plugins").mkdir(exist_ok=True)
    with pytest.raises(Refused) as refused:
        call(
            "filesystem/v1",
            "CreateSymlink",
            source_path=KUBELET + r"\plugins",
            target_path=PODS + r"\link",
        )
    assert (refused.value.code, refused.value.status) == (50, "FAILED_PRECONDITION")
    assert list((kubelet / "pods").iterdir()) == []


def test_the_oldest_contract_answers_with_windows_codes(call, kubelet) -> None:
    call("csi-proxy/v1alpha1", "Mkdir", context="CONTAINER", path=PODS + r"\one")
    with pytest.raises(Refused) as refused:
        call("csi-proxy/v1alpha1", "Mkdir", context="CONTAINER", path=PODS + r"\one")
    assert refused.value.code == 183
    call("csi-proxy/v1alpha1", "Rmdir", context="CONTAINER", path=PODS + r"\one")
    assert list((kubelet / "pods").iterdir()) == []


def test_the_firmware_and_the_services_are_the_machines_own(call) -> None:
    assert "serial_number" in call("system/v1alpha1", "GetBIOSSerialNumber")
    service = call("system/v1alpha1", "GetService", name="EventLog")
    assert service["status"] == "RUNNING"
    assert service["display_name"]
    with pytest.raises(Refused) as refused:
        call("system/v1alpha1", "GetService", name="no such service")
    assert (refused.value.code, refused.value.status) == (1060, "NOT_FOUND")


@pytest.mark.parametrize(
    ("contract", "rpc", "fields", "statuses"),
    [
        ("disk/v1", "ListDiskIDs", {}, ()),
        ("disk/v1", "Rescan", {}, ("NOT_FOUND", "FAILED_PRECONDITION", "UNAVAILABLE", "INTERNAL")),
        ("disk/v1", "GetDiskStats", {"disk_number": 1}, ("NOT_FOUND",)),
        ("disk/v1", "PartitionDisk", {"disk_number": 1}, ("NOT_FOUND",)),
        ("volume/v1", "ListVolumesOnDisk", {"disk_number": 1}, ()),
        (
            "volume/v1",
            "GetVolumeStats",
            {"volume_id": "\\\\?\\Volume{00000000-0000-4000-8000-00000000dead}\\"},
            ("NOT_FOUND",),
        ),
        ("smb/v1", "RemoveSmbGlobalMapping", {"remote_path": r"\\server\share"}, None),
        ("iscsi/v1alpha2", "ListTargetPortals", {}, None),
    ],
)
def test_what_wine_has_not_is_refused_in_order(call, contract, rpc, fields, statuses) -> None:
    """Answered, or refused with a status that is documented; never with one for what nobody foresaw."""
    try:
        call(contract, rpc, **fields)
    except Refused as refused:
        assert refused.status != "UNKNOWN"
        assert statuses is None or refused.status in statuses, (refused.status, refused.code)
    else:
        assert not statuses


def test_fifty_go_clients_ask_the_machine_itself(
    wine: Prefix, served: Served, kubelet, tmp_path_factory
) -> None:
    crowd = str(go_programs.build(tmp_path_factory.mktemp("go"), find_foreign("go"), "crowd"))
    request = base64.b64encode(filesystem.PathExistsRequest(path=PODS).SerializeToString()).decode()
    pipe = r"\\.\\pipe\\csi-proxy-filesystem-v1"
    ended = wine.run(crowd, "50", "4", "/v1.Filesystem/PathExists", request, pipe)
    told = json.loads(ended.stdout)
    assert (told["answered"], told["errors"]) == (200, [])


def test_it_ends_in_order(served: Served) -> None:
    assert served.stop() == 0
    assert not any("Traceback" in line for line in served.log)
