r"""CSIProxyService through both of its versions."""

import itertools

import pytest
from tests.client.conftest import PLUGINS, PODS, names, only

from csiproxy.client import Chap, DeviceIds, DeviceLocation, DeviceVolumes, FileSystemType, PathContext
from csiproxy.errors import (
    AlreadyExists,
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unimplemented,
)

_COUNT = itertools.count()


@pytest.mark.parametrize("name", names("csi-proxy"))
def test_a_disk_becomes_a_volume_in_every_version(name, node, disk, tmp_path):
    device = rf"\\.\PhysicalDrive{disk}"
    with only(node, tmp_path, name) as client:
        service = client.csi_proxy_service
        service.rescan()
        volume = service.partition_disk(device)
        if name.endswith("v1beta1"):
            service.format_volume(volume)
            with pytest.raises(AlreadyExists) as refused:
                service.format_volume(volume, FileSystemType.FAT)
            assert refused.value.windows_code == 183
        assert DeviceVolumes(device, (volume,)) in service.list_disk_volume_mappings()
        assert device in [found.disk_device for found in service.list_disk_ids()]
        location = next(found for found in service.list_disk_locations() if found.disk_device == device)
        assert isinstance(location, DeviceLocation)
        assert isinstance(service.list_disk_ids()[0], DeviceIds)


@pytest.mark.parametrize("name", names("csi-proxy"))
def test_paths_are_made_and_linked_in_every_version(name, node, tmp_path):
    number = next(_COUNT)
    plugin, pod = rf"{PLUGINS}\s{number}", rf"{PODS}\s{number}"
    with only(node, tmp_path, name) as client:
        service = client.csi_proxy_service
        for path in (PLUGINS, PODS):
            client_all = node.client()
            client_all.filesystem.mkdir(path)
            client_all.close()
        service.mkdir(plugin, PathContext.PLUGIN)
        service.link_path(source_path=pod, target_path=plugin)
        assert service.path_exists(pod)
        with pytest.raises(AlreadyExists) as refused:
            service.mkdir(plugin, PathContext.PLUGIN)
        assert refused.value.windows_code == 183
        with pytest.raises(NotFound) as refused:
            service.rmdir(plugin + "-missing", PathContext.PLUGIN) if name.endswith(
                "beta1"
            ) else service.mkdir(plugin + r"-missing\below", PathContext.PLUGIN)
        assert refused.value.windows_code in (2, 3)


def test_the_newest_version_mounts_grows_links_and_leaves_again(client, node, disk, place):
    service = client.csi_proxy_service
    volume = service.partition_disk(rf"\\.\PhysicalDrive{disk}")
    service.format_volume(volume)
    service.mount_volume(volume, place)
    assert client.filesystem.is_symlink(place)
    node.grow(disk, 128 << 20)
    service.rescan()
    service.resize_volume(volume)
    service.dismount_volume(volume)
    assert not client.filesystem.is_symlink(place)
    with pytest.raises(FailedPrecondition, match="50"):
        service.mount_volume(volume, place, readonly=True)
    pod = rf"{PODS}\n{next(_COUNT)}"
    client.filesystem.mkdir(PODS)
    service.link_path(source_path=pod, target_path=place)
    service.unlink_path(pod)
    assert not service.path_exists(pod)
    service.rmdir(place, PathContext.PLUGIN)


def test_what_v1alpha1_means_otherwise_or_has_not_is_unimplemented(node, disk, place, tmp_path):
    with only(node, tmp_path, "csi-proxy/v1alpha1") as client:
        service = client.csi_proxy_service
        for refused in (
            lambda: service.rmdir(place, PathContext.PLUGIN),
            lambda: service.format_volume(r"\\?\Volume{x}"),
            lambda: service.unlink_path(place),
            lambda: service.mount_volume("", place),
        ):
            with pytest.raises(Unimplemented):
                refused()
        with pytest.raises(InvalidArgument, match="use v1beta1"):
            service.mount_iscsi_lun("iqn.2026-01.com.example:x", "192.0.2.1", lun=1)


def test_shares_and_luns_fail_as_windows_says_without_a_secret_in_any_text(client, place):
    service = client.csi_proxy_service
    with pytest.raises(InvalidArgument) as refused:
        service.mount_smb_share("no share", place, username="user", password="hidden")
    assert refused.value.windows_code == 123
    service.unmount_smb_share(place + "-missing")
    with pytest.raises(CsiProxyError) as failed:
        service.mount_iscsi_lun("no name", "192.0.2.1", login=Chap("user", "hidden"))
    assert "hidden" not in f"{refused.value}{failed.value!r}{Chap('user', 'hidden')}"
    client.system.start_service("MSiSCSI")
    service.unmount_iscsi_lun("iqn.2026-01.com.example:none")
