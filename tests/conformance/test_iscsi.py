"""Group iscsi in every version, and CSIProxyService's LUNs: the life of a claim on a real target."""

import subprocess

import pytest
from tests.conftest import find_foreign, find_library
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG, TargetServer

NONE, ONE_WAY, MUTUAL = 0, 1, 2
VERSIONS = ["v1alpha1", "v1alpha2"]
pytestmark = pytest.mark.foreign


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    find_library("libiscsi.so.7")
    server = TargetServer(tmp_path_factory.mktemp("target"), find_foreign)
    yield server
    server.close()


@pytest.fixture(scope="module")
def node(running):
    """The node, whose service MSiSCSI runs for the time of these tests."""
    system = running.client("system/v1alpha1")
    system("StartService", name="MSiSCSI")
    yield running
    system("StopService", name="MSiSCSI")


@pytest.fixture(params=VERSIONS)
def iscsi(request, node):
    return node.client(f"iscsi/{request.param}")


@pytest.fixture
def portal(server):
    return {"target_address": server.address, "target_port": server.port}


@pytest.fixture
def name(request):
    """A name for a target that no other test has."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name).lower()[-60:].strip("-")


def test_every_version_of_the_group_is_in_the_suite(apis):
    assert [found for found in apis if found.startswith("iscsi/")] == [f"iscsi/{v}" for v in VERSIONS]


def test_the_life_of_a_claim_from_a_portal_to_the_workloads_data_and_back(
    node, iscsi, server, portal, claim, name
):
    iqn = server.offer(name, chap="one-way")
    disk, volume = node.client("disk/v1"), node.client("volume/v1")
    target = {"target_portal": portal, "iqn": iqn}
    login = {**target, "auth_type": ONE_WAY, "chap_username": USER, "chap_secret": SECRET}
    node.client("filesystem/v1")("Mkdir", path=claim.staging)
    text = f"written by {name}"

    def mount() -> int:
        iscsi("AddTargetPortal", target_portal=portal)
        assert iqn in iscsi("DiscoverTargetPortal", target_portal=portal).iqns
        iscsi("ConnectTarget", **login)
        [number] = iscsi("GetTargetDisks", **target).diskIDs
        disk("PartitionDisk", disk_number=int(number))
        [found] = volume("ListVolumesOnDisk", disk_number=int(number)).volume_ids
        if not volume("IsVolumeFormatted", volume_id=found).formatted:
            volume("FormatVolume", volume_id=found)
        volume("MountVolume", volume_id=found, target_path=claim.staging)
        return found

    def unmount(found) -> None:
        volume("UnmountVolume", volume_id=found, target_path=claim.staging)
        iscsi("DisconnectTarget", **target)
        assert list(iscsi("GetTargetDisks", **target).diskIDs) == []

    found = mount()
    node.write(claim.staging + r"\data", text)
    assert list(iscsi.refused("DisconnectTarget", **target)) == ["FAILED_PRECONDITION", 2404]
    unmount(found)
    assert server.sessions(iqn) == 0
    assert not node.exists(claim.staging + r"\data")
    checked = subprocess.run(
        [find_foreign("sgdisk"), "-v", server.image(name)], capture_output=True, text=True
    )
    assert "No problems found" in checked.stdout, checked
    assert mount() == found
    assert node.read(claim.staging + r"\data") == text
    unmount(found)
    iscsi("RemoveTargetPortal", target_portal=portal)
    assert portal["target_port"] not in [p.target_port for p in iscsi("ListTargetPortals").target_portals]


def test_calls_made_twice_are_made_once(iscsi, server, portal, name):
    iqn = server.offer(name)
    target = {"target_portal": portal, "iqn": iqn}
    for rpc, fields in (
        ("AddTargetPortal", {"target_portal": portal}),
        ("DiscoverTargetPortal", {"target_portal": portal}),
        ("ConnectTarget", target),
        ("GetTargetDisks", target),
        ("DisconnectTarget", target),
        ("RemoveTargetPortal", {"target_portal": portal}),
    ):
        for _ in range(2):
            iscsi(rpc, **fields)


def test_refusals_carry_a_status_and_a_windows_code(iscsi, server, portal, name):
    iqn = server.offer(name, chap="one-way")
    target = {"target_portal": portal, "iqn": iqn}
    one_way = {**target, "auth_type": ONE_WAY, "chap_username": USER}
    assert list(iscsi.refused("AddTargetPortal")) == ["INVALID_ARGUMENT", 87]
    nobody = {"target_address": "127.0.0.1", "target_port": 1}
    assert list(iscsi.refused("AddTargetPortal", target_portal=nobody)) == ["UNAVAILABLE", 1225]
    assert list(iscsi.refused("ConnectTarget", target_portal=nobody, iqn=iqn)) == ["NOT_FOUND", 1168]
    iscsi("AddTargetPortal", target_portal=portal)
    for fields, status, code in (
        ({**target, "iqn": "disk"}, "INVALID_ARGUMENT", 123),
        ({**target, "iqn": "iqn.2026-01.test:none"}, "NOT_FOUND", 1168),
        ({**target, "auth_type": 3}, "INVALID_ARGUMENT", 87),
        ({**one_way, "chap_secret": "short"}, "INVALID_ARGUMENT", 87),
        ({**one_way, "chap_secret": WRONG}, "PERMISSION_DENIED", 1326),
        (target, "PERMISSION_DENIED", 1326),
    ):
        found = iscsi.refused("ConnectTarget", **fields)
        assert (list(found), WRONG in found.text) == ([status, code], False)
    assert server.sessions(iqn) == 0


def test_the_newest_version_logs_in_with_mutual_chap(node, server, portal, name):
    iscsi = node.client("iscsi/v1alpha2")
    iqn = server.offer(name, chap="mutual")
    target = {"target_portal": portal, "iqn": iqn}
    login = {**target, "auth_type": MUTUAL, "chap_username": USER, "chap_secret": SECRET}
    iscsi("AddTargetPortal", target_portal=portal)
    found = iscsi.refused("SetMutualChapSecret", MutualChapSecret="short")
    assert list(found) == ["INVALID_ARGUMENT", 87]
    iscsi("SetMutualChapSecret", MutualChapSecret=WRONG)
    assert list(iscsi.refused("ConnectTarget", **login)) == ["PERMISSION_DENIED", 1326]
    iscsi("SetMutualChapSecret", MutualChapSecret=TARGET_SECRET)
    iscsi("ConnectTarget", **login)
    iscsi("DisconnectTarget", **target)


@pytest.mark.parametrize("version", ["v1alpha1", "v1beta1"])
def test_the_services_one_call_leads_to_the_disk_and_its_data_outlive_the_logout(
    node, version, server, claim, name
):
    service, iscsi = node.client(f"csi-proxy/{version}"), node.client("iscsi/v1alpha2")
    iqn = server.offer(name, chap="one-way")
    lun = {
        "node_iqn": iqn,
        "auth_type": ONE_WAY,
        "session_chap_username": USER,
        "session_chap_secret": SECRET,
        "target_portal_address": server.address,
        "target_portal_port": str(server.port) if version == "v1alpha1" else server.port,
        **({} if version == "v1alpha1" else {"lun": 1}),
    }
    node.make(claim.staging)

    def mount() -> str:
        mounted = service("MountISCSILun", **lun)
        assert mounted.error_code == 0
        found = service("PartitionDisk", disk_device=mounted.disk_device, type=1)
        assert found.error_code == 0
        staged = {"staging_path": claim.staging} if version == "v1alpha1" else {}
        formatted = service("FormatVolume", volume_device=found.volume_device, type=0, **staged)
        assert formatted.error_code == 0
        if version == "v1beta1":
            at = {"volume_device": found.volume_device, "target_path": claim.staging}
            assert service("MountVolume", **at).error_code == 0
        return found.volume_device

    def unmount(volume) -> None:
        assert service("DismountVolume", volume_device=volume).error_code == 0
        if version == "v1beta1":
            assert service("UnmountISCSILun", node_iqn=iqn).error_code == 0
        else:  # which cannot log out
            portal = {"target_address": server.address, "target_port": server.port}
            iscsi("DisconnectTarget", target_portal=portal, iqn=iqn)

    volume = mount()
    node.write(claim.staging + r"\data", name)
    if version == "v1beta1":
        assert service("UnmountISCSILun", node_iqn=iqn).error_code == 2404
    unmount(volume)
    assert mount() == volume
    assert node.read(claim.staging + r"\data") == name
    unmount(volume)


def test_the_services_failures_are_windows_codes(node, server, name):
    service = node.client("csi-proxy/v1beta1")
    iqn = server.offer(name, chap="mutual")
    lun = {
        "node_iqn": iqn,
        "target_portal_address": server.address,
        "target_portal_port": server.port,
        "lun": 1,
    }
    one_way = {"auth_type": ONE_WAY, "session_chap_username": USER, "session_chap_secret": SECRET}
    for more, code in (
        ({"node_iqn": "disk"}, 123),
        ({"target_portal_address": "a b"}, 87),
        ({"target_portal_port": 1}, 1225),
        ({}, 1326),
        ({**one_way, "session_chap_secret": WRONG}, 1326),
        ({**one_way, "auth_type": MUTUAL}, 87),
        ({**one_way, "node_iqn": "iqn.2026-01.test:none"}, 1168),
    ):
        assert service("MountISCSILun", **{**lun, **more}).error_code == code, more
    assert service("UnmountISCSILun", node_iqn=iqn).error_code == 0


def test_no_secret_is_in_the_trail_or_the_nodes_directory(node, server, portal, name):
    iscsi = node.client("iscsi/v1alpha2")
    iqn = server.offer(name, chap="one-way")
    login = {"target_portal": portal, "iqn": iqn, "auth_type": ONE_WAY, "chap_username": USER}
    iscsi("AddTargetPortal", target_portal=portal)
    iscsi("SetMutualChapSecret", MutualChapSecret=TARGET_SECRET)
    iscsi.refused("ConnectTarget", **login, chap_secret=WRONG)
    iscsi("ConnectTarget", **login, chap_secret=SECRET)
    iscsi("DisconnectTarget", target_portal=portal, iqn=iqn)
    for secret in (SECRET, WRONG, TARGET_SECRET):
        command = ["grep", "-r", "-l", "-a", "--exclude=*.img", secret, node.directory]
        assert subprocess.run(command, capture_output=True, text=True).stdout == ""
