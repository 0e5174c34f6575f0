"""CSIProxyService, in both versions: a claim's life, and the Windows code of every refusal.

A call that was understood is gRPC OK; its ``error_code`` says what Windows would say, 0 for success.
"""

import os
from typing import Any

import pytest
from tests.conformance.running import KUBELET, MIB, PLUGINS, PODS, Running
from tests.conformance.wire import Client

from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

VERSIONS = ("v1alpha1", "v1beta1")
NO_VOLUME = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"
PLUGIN, POD = 0, 1
MBR, GPT = 0, 1
NTFS, FAT = 0, 1


class Service:
    """One version; every call gives its error code, or its reply where that is wanted."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.has_mount = client.api.version != "v1alpha1"

    def __call__(self, rpc: str, **fields: Any) -> int:
        return self.client(rpc, **fields).error_code

    def ask(self, rpc: str, **fields: Any) -> Any:
        reply = self.client(rpc, **fields)
        assert reply.error_code == 0
        return reply

    def format_and_mount(self, volume: str, kind: int, staging: str) -> list[int]:
        """Format and mount: one call in the first version, two in the second."""
        if not self.has_mount:
            return [self("FormatVolume", volume_device=volume, type=kind, staging_path=staging)]
        return [
            self("FormatVolume", volume_device=volume, type=kind),
            self("MountVolume", volume_device=volume, target_path=staging),
        ]

    def unlink(self, path: str) -> int:
        return self("UnlinkPath", path=path) if self.has_mount else self("Rmdir", path=path, context=POD)

    def volumes_of(self, device: str) -> list[str]:
        reply = self.ask("ListDiskVolumeMappings")
        if self.has_mount:
            return list(reply.disk_volumes[device].volume_devices) if device in reply.disk_volumes else []
        return [reply.disk_volume_pair[device]] if device in reply.disk_volume_pair else []


@pytest.fixture(params=VERSIONS)
def service(running: Running, request: pytest.FixtureRequest) -> Service:
    return Service(running.client(f"csi-proxy/{request.param}"))


def device_of(number: int) -> str:
    return rf"\\.\PhysicalDrive{number}"


def test_every_version_is_in_the_suite(apis):
    assert {name for name in apis if name.startswith("csi-proxy/")} == {f"csi-proxy/{v}" for v in VERSIONS}


def test_a_claim_lives_from_the_raw_disk_to_its_detach_each_call_twice(running, service, claim):
    lun = 200 + VERSIONS.index(service.client.api.version)
    vendor = StorageIdentifier(
        CodeSet.ASCII, IdentifierType.VENDOR_ID, Association.DEVICE, f"disk-{lun}".encode()
    )
    number = running.attach(lun=lun, serial=f"S-{lun}", identifiers=(vendor,))
    device = device_of(number)
    assert service("Rescan") == 0
    location = service.ask("ListDiskLocations").disk_locations[device]
    assert (location.Adapter, location.Target, location.LUNID) == ("1", "0", str(lun))
    assert list(service.ask("ListDiskIDs").disk_id[device].IDs) == [f"t10.disk-{lun}", f"serial.S-{lun}"]
    assert service.volumes_of(device) == []

    volumes = {
        service.ask("PartitionDisk", disk_device=device, type=kind).volume_device for kind in (MBR, GPT, MBR)
    }
    [volume] = volumes
    [report] = [disk for disk in running.control.list() if disk.number == number]
    assert report.style == "MBR"
    assert service.volumes_of(device) == [volume]

    parent = claim.staging.rpartition("\\")[0]
    assert service("PathExists", path=parent) == 0
    assert service("Mkdir", path=claim.staging, context=PLUGIN) == 0
    assert service("Mkdir", path=claim.staging, context=PLUGIN) == 183
    for form in (volume, volume[:-1], volume.replace("Volume{", "Volume\\{")):
        assert set(service.format_and_mount(form, NTFS, claim.staging)) == {0}
    assert running.mount_points(volume) == (claim.staging,)
    for _ in range(2):
        assert service("LinkPath", source_path=claim.published, target_path=claim.staging) == 0
    running.write(claim.published + r"\file", "data")

    running.control.grow(number, 256 * MIB)
    for size in (256 * MIB, 256 * MIB, 0, 1):
        assert service("ResizeVolume", volume_device=volume, new_size=size) == 0

    assert service.unlink(claim.published) == 0
    assert service.ask("PathExists", path=claim.published).exists is False
    for _ in range(2):
        assert service("DismountVolume", volume_device=volume) == 0
    assert running.mount_points(volume) == ()
    assert service("Rmdir", path=claim.staging, context=PLUGIN) == 0
    assert service("Rmdir", path=claim.staging, context=PLUGIN) == 2
    image = report.image
    running.control.detach(number)

    # The disk comes back with another number, and the file is still there.
    again = device_of(running.control.attach(image, number=number + 500))
    assert service.ask("PartitionDisk", disk_device=again, type=GPT).volume_device == volume
    running.make(claim.staging)
    assert set(service.format_and_mount(volume, NTFS, claim.staging)) == {0}
    assert running.read(claim.staging + r"\file") == "data"
    running.control.detach(number + 500)
    for _ in range(2):
        assert service("DismountVolume", volume_device=volume) == 0
    assert os.listdir(running.on_host(claim.staging)) == []


def test_paths_are_refused_with_the_codes_of_the_contract(running, service, claim):
    running.make(claim.pod + r"\full\inside")
    running.make(claim.staging)
    os.symlink(running.directory, running.on_host(claim.pod + r"\planted"))
    for path, code in (
        ("", 161),
        (PODS + "/x", 161),
        (r"\\server\share", 161),
        (PODS[2:], 161),
        (PODS + r"\..\x", 123),
        (PODS + r"\a*", 123),
        (PODS + "\\" + "x" * 260, 206),
        (KUBELET + r"\x", 5),
        (PODS + r"-evil\x", 5),
        (claim.pod + r"\planted\x", 4395),
    ):
        for rpc, fields in (
            ("PathExists", {"path": path}),
            ("Mkdir", {"path": path, "context": POD}),
            ("Rmdir", {"path": path, "context": POD}),
            ("LinkPath", {"source_path": path, "target_path": claim.staging}),
        ):
            assert service(rpc, **fields) == code, (rpc, path)
    for context, prefix in ((PLUGIN, PLUGINS), (POD, PODS)):
        assert service.ask("PathExists", path=prefix).exists
        assert service("Mkdir", path=prefix, context=context) == 183
        assert service("Rmdir", path=prefix, context=context) == 5
        assert service("Mkdir", path=prefix + r"\none\x", context=context) == 3
        assert service("Rmdir", path=prefix + r"\none", context=context) == 2
        assert service("Mkdir", path=prefix + r"\x", context=1 - context) == 5
        assert service("Mkdir", path=prefix + r"\x", context=9) == 87
    assert service("Rmdir", path=claim.pod + r"\full", context=POD) == 145
    assert service("LinkPath", source_path=claim.pod + r"\full", target_path=claim.staging) == 183
    assert service("LinkPath", source_path=claim.published, target_path=PLUGINS + r"\none") == 2


def test_links_are_removed_by_the_version_that_may(running, service, claim):
    running.make(claim.staging)
    assert service("LinkPath", source_path=claim.published, target_path=claim.staging) == 0
    if service.has_mount:
        assert service("Rmdir", path=claim.published, context=POD) == 4395
        for _ in range(2):
            assert service("UnlinkPath", path=claim.published) == 0
        assert service("UnlinkPath", path=claim.pod) == 4390
    else:
        assert service("Rmdir", path=claim.published, context=POD) == 0
    assert not running.exists(claim.published)
    assert running.exists(claim.staging)


def test_disks_and_volumes_are_refused_with_the_codes_of_the_contract(running, service, claim):
    running.make(claim.staging)
    for device, code in (
        ("", 87), ("1", 87), (r"\\.\PhysicalDrive01", 87), (r"\\.\PhysicalDrive4294967296", 87),
        (device_of(4_000_000_000), 1168), (device_of(0), 50),
        (device_of(running.attach(read_only=True)), 19),
    ):  # fmt: skip
        assert service("PartitionDisk", disk_device=device, type=GPT) == code, device
    raw = device_of(running.attach())
    assert service("PartitionDisk", disk_device=raw, type=7) == 87
    volume = service.ask("PartitionDisk", disk_device=raw, type=GPT).volume_device
    for bad in ("", "C:\\", volume + "x"):
        assert service("FormatVolume", volume_device=bad, type=NTFS) == 87
        assert service("ResizeVolume", volume_device=bad, new_size=0) == 87
        assert service("DismountVolume", volume_device=bad) == 87
    assert service("FormatVolume", volume_device=NO_VOLUME, type=NTFS) == 1168
    assert service("ResizeVolume", volume_device=NO_VOLUME, new_size=0) == 1168
    assert service("DismountVolume", volume_device=NO_VOLUME) == 0
    assert service("FormatVolume", volume_device=volume, type=5) == 87
    assert service("FormatVolume", volume_device=volume, type=NTFS) == 0
    assert service("FormatVolume", volume_device=volume, type=NTFS) == 0
    assert service("FormatVolume", volume_device=volume, type=FAT) == 183
    assert service("ResizeVolume", volume_device=volume, new_size=-1) == 87
    assert service("ResizeVolume", volume_device=volume, new_size=65 * MIB) == 87
    [system, *_] = service.volumes_of(device_of(0))
    assert service("FormatVolume", volume_device=system, type=NTFS) == 50
    assert service("ResizeVolume", volume_device=system, new_size=0) == 50


def test_a_large_disk_is_not_made_fat(running, service):
    device = device_of(running.attach(33 << 30))
    volume = service.ask("PartitionDisk", disk_device=device, type=GPT).volume_device
    assert service("FormatVolume", volume_device=volume, type=FAT) == 87
    assert service("FormatVolume", volume_device=volume, type=NTFS) == 0


def test_staging_is_refused_with_the_codes_of_the_contract(running, service, claim):
    device = device_of(running.attach())
    volume = service.ask("PartitionDisk", disk_device=device, type=GPT).volume_device
    assert service("FormatVolume", volume_device=volume, type=NTFS) == 0
    running.make(claim.staging + r"\inside")
    for path, code in (
        (claim.pod, 5),
        (PLUGINS, 5),
        (claim.staging, 145),
        (PLUGINS + r"\none", 2),
        ("x", 161),
    ):
        assert service.format_and_mount(volume, NTFS, path)[-1] == code, path
    if service.has_mount:
        running.make(PLUGINS + r"\ro")
        fields = {"volume_device": volume, "target_path": PLUGINS + r"\ro"}
        assert service("MountVolume", **fields, readonly=True) == 50
    assert running.mount_points(volume) == ()
