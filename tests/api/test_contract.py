"""A contract: its names, its age, and when it loads what."""

import contextlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.interpreter import run
from tests.api.strategies import UNHURRIED

from csiproxy.api.contract import Contract, VersionName
from csiproxy.api.versions import DISK, Stage, contract


def test_a_contract_loads_its_own_messages_and_its_hubs_and_no_others():
    code = (
        "import sys; from csiproxy.api.versions import contract; contract('disk/v1beta1').methods()\n"
        "print(*sorted(m for m in sys.modules if m.endswith('_pb2') and m.startswith('csiproxy')))"
    )
    assert run(code) == ["csiproxy.api.disk.v1_pb2", "csiproxy.api.disk.v1beta1_pb2"]


def test_threads_that_ask_at_once_get_the_same_methods():
    fresh = Contract(DISK, DISK.versions[1])
    barrier = threading.Barrier(8)
    found = []

    def ask():
        barrier.wait()
        found.append(fresh.methods())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(methods is found[0] for methods in found)


def test_methods_cannot_be_changed():
    with pytest.raises(TypeError):
        contract("disk/v1").methods()["/v1.Disk/Format"] = None


@pytest.mark.parametrize(
    ("name", "endpoint", "service", "stage"),
    [
        ("disk/v1", "csi-proxy-disk-v1", "v1.Disk", Stage.STABLE),
        ("volume/v2alpha1", "csi-proxy-volume-v2alpha1", "v2alpha1.Volume", Stage.ALPHA),
        ("smb/v1beta2", "csi-proxy-smb-v1beta2", "v1beta2.Smb", Stage.BETA),
        ("csi-proxy/v1alpha1", "csi-proxy-v1alpha1", "csiproxy.v1alpha1.CSIProxyService", Stage.ALPHA),
    ],
)
def test_a_contract_knows_its_names(name, endpoint, service, stage):
    found = contract(name)
    assert (found.name, found.endpoint, found.service, found.stage) == (name, endpoint, service, stage)
    assert name in repr(found)


def test_versions_sort_by_age():
    texts = ["v2alpha1", "v1", "v1alpha1", "v10", "v1beta2", "v1beta10", "v2", "v1alpha2"]
    ordered = sorted(texts, key=lambda text: VersionName.parse(text).age())
    assert ordered == ["v1alpha1", "v1alpha2", "v1beta2", "v1beta10", "v1", "v2alpha1", "v2", "v10"]


@UNHURRIED
@given(st.text(max_size=12) | st.from_regex(r"v[0-9]{1,2}(alpha|beta|)[0-9]{0,2}"))
def test_only_version_names_parse(text):
    with contextlib.suppress(ValueError):
        name = VersionName.parse(text)
        tail = "" if name.stage is Stage.STABLE else f"{name.stage.value}{name.minor}"
        assert text == f"v{name.major}{tail}"


@pytest.mark.parametrize(
    "text", ["", "1", "v0", "v01", "v1gamma1", "v1alpha", "v1alpha0", "V1", "v1 ", "v1\n", "v١"]
)
def test_what_looks_like_a_version_name_but_is_none_is_refused(text):
    with pytest.raises(ValueError, match="is not a version name"):
        VersionName.parse(text)


@pytest.mark.parametrize(
    ("name", "hub_rpc", "own"),
    [
        ("disk/v1", "GetDiskStats", "GetDiskStats"),
        ("disk/v1beta2", "GetDiskStats", "DiskStats"),
        ("disk/v1alpha1", "GetDiskStats", None),
        ("filesystem/v1beta1", "IsSymlink", "IsMountPoint"),
        ("filesystem/v1", "RmdirContents", None),
        ("csi-proxy/v1alpha1", "Mkdir", "Mkdir"),
        ("csi-proxy/v1alpha1", "Rmdir", None),  # it unlinks, too
        ("disk/v1", "GetDiskNumberByName", None),
    ],
)
def test_a_contract_knows_its_name_for_an_rpc_of_the_hub_that_means_the_same(name, hub_rpc, own):
    assert contract(name).rpc_for(hub_rpc) == own
