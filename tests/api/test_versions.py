"""The version table: what it says, what it costs, and how contracts are chosen from it."""

import pytest
from tests.api.interpreter import run

import csiproxy
from csiproxy.api import lifecycle
from csiproxy.api.contract import Contract
from csiproxy.api.versions import CONTRACTS, GROUPS, contract, select
from csiproxy.errors import InvalidArgument

ENDPOINTS = [(found, path) for found in CONTRACTS for path in found.methods()]


def test_importing_the_table_imports_no_protobuf():
    code = "import sys, csiproxy.api.versions; print(*(m for m in sys.modules if m.startswith('google')))"
    assert run(code) == []


def test_names_stages_and_operations_are_known_without_protobuf():
    code = (
        "import sys; from csiproxy.api.versions import CONTRACTS, select\n"
        "from csiproxy.api.overview import versions_table\n"
        "rows = versions_table(); select(['*'], []); [c.operation(r) for c in CONTRACTS for r in c.rpcs]\n"
        "print(len(rows), *(m for m in sys.modules if m.startswith('google')))"
    )
    assert run(code) == ["25"]


def test_there_are_171_endpoints_in_seven_groups():
    assert len(ENDPOINTS) == 171
    assert [group.name for group in GROUPS] == [
        "disk",
        "filesystem",
        "iscsi",
        "smb",
        "system",
        "volume",
        "csi-proxy",
    ]


@pytest.mark.parametrize(
    ("name", "rpc", "operation"),
    [
        ("disk/v1beta1", "DiskStats", "get_disk_stats"),
        ("disk/v1beta2", "SetAttachState", "set_disk_state"),
        ("disk/v1beta2", "GetAttachState", "get_disk_state"),
        ("disk/v1alpha1", "GetDiskNumberByName", "get_disk_number_by_name"),
        ("filesystem/v1alpha1", "LinkPath", "create_symlink"),
        ("filesystem/v1beta1", "IsMountPoint", "is_symlink"),
        ("volume/v1beta2", "GetVolumeIDFromMount", "get_volume_id_from_target_path"),
        ("volume/v1beta1", "GetVolumeDiskNumber", "get_disk_number_from_volume_id"),
        ("volume/v1alpha1", "DismountVolume", "unmount_volume"),
        ("csi-proxy/v1alpha1", "Rmdir", "rmdir_or_unlink"),
        ("csi-proxy/v1beta1", "Rmdir", "rmdir"),
        ("csi-proxy/v1alpha1", "FormatVolume", "format_volume_and_mount"),
        ("csi-proxy/v1beta1", "FormatVolume", "format_volume"),
        ("csi-proxy/v1alpha1", "MountISCSILun", "mount_iscsi_lun"),
        ("csi-proxy/v1alpha1", "LinkPath", "link_path"),
    ],
)
def test_an_old_name_asks_for_the_operation_of_today(name, rpc, operation):
    found = contract(name)
    method = found.methods()[f"/{found.service}/{rpc}"]
    assert (method.rpc, method.operation, found.operation(rpc)) == (rpc, operation, operation)


@pytest.mark.parametrize(
    ("name", "rpc"),
    [
        ("disk/v1alpha1", "GetDiskNumberByName"),
        ("csi-proxy/v1alpha1", "Rmdir"),
        ("csi-proxy/v1alpha1", "FormatVolume"),
    ],
)
def test_an_rpc_whose_meaning_the_hub_lacks_speaks_its_own_messages(name, rpc):
    found = contract(name)
    method = found.methods()[f"/{found.service}/{rpc}"]
    assert (method.hub_request, method.hub_reply) == (method.request, method.reply)
    assert (method.to_hub, method.from_hub) == (None, None)


@pytest.mark.parametrize(("found", "path"), ENDPOINTS, ids=[path for _, path in ENDPOINTS])
def test_descriptors_speak_the_names_of_their_own_version(found, path):
    method = found.methods()[path]
    assert method.request.DESCRIPTOR.file.package == found.service.rpartition(".")[0]
    assert method.reply.DESCRIPTOR.file.package == found.service.rpartition(".")[0]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_one_operation_has_one_pair_of_hub_messages(group):
    spoken = {}
    for row in group.versions:
        for method in contract(f"{group.name}/{row.name}").methods().values():
            pair = (method.hub_request, method.hub_reply)
            assert spoken.setdefault(method.operation, pair) == pair


def test_an_unknown_contract_is_refused_with_the_list_of_what_exists():
    with pytest.raises(InvalidArgument, match=r'no API version "disk/v9".*disk/v1beta3.*csi-proxy/v1beta1'):
        contract("disk/v9")


@pytest.mark.parametrize(
    ("serve", "no_serve", "count"),
    [
        ([], [], 25),
        (["*"], [], 25),
        (["disk/v1"], [], 1),
        (["volume/*"], [], 6),
        (["volume/*", "disk/v1"], [], 7),
        (["csi-proxy/*"], [], 2),
        (["*/v1"], [], 4),
        (["*alpha*"], [], 10),
        ([], ["*alpha*"], 15),
        (["disk/*"], ["disk/v1alpha1", "smb/*"], 4),
    ],
)
def test_select_takes_what_is_named_and_leaves_out_what_is_excluded(serve, no_serve, count):
    chosen = select(serve, no_serve)
    assert len(chosen) == count
    assert list(chosen) == [found for found in CONTRACTS if found in chosen]


@pytest.mark.parametrize(
    ("serve", "no_serve"), [(["disc/v1"], []), ([], ["volume/v9"]), (["disk/v1", ""], [])]
)
def test_a_pattern_that_names_nothing_is_refused_with_the_list_of_what_exists(serve, no_serve):
    with pytest.raises(InvalidArgument, match=r"names no API version: give one of disk/v1alpha1, .*\*"):
        select(serve, no_serve)


def test_serving_nothing_is_refused():
    with pytest.raises(InvalidArgument, match="no API version is left to serve"):
        select(["disk/v1"], ["disk/*"])


def test_the_newest_release_is_the_version_of_this_program():
    assert lifecycle.RELEASES[-1].name == csiproxy.__version__


def test_the_table_breaks_no_promise():
    table = [life for group in GROUPS for row in group.versions for life in Contract(group, row).lifetimes()]
    assert len(table) >= 25
    assert lifecycle.violations(table, lifecycle.RELEASES) == []
