"""A dry run decides like a real one and changes nothing."""

import inspect
import os

import pytest
from tests.emulated import PLUGINS, PODS, EmulatedNode, tree

from csiproxy import operations
from csiproxy.emulator.inventory import DiskReport
from csiproxy.errors import CsiProxyError, FailedPrecondition, NotFound, PermissionDenied
from csiproxy.host.win32 import Win32
from csiproxy.operations import Operations
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import PartitionType, PathContext
from csiproxy.operations.dry_run import RehearsedSession, RehearsedWin32
from csiproxy.operations.secret import Secret

STAGING = PLUGINS + r"\pv1\globalmount"


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


@pytest.fixture
def dry(node) -> Operations:
    configuration = Configuration(r"C:\var\lib\kubelet", (), PLUGINS, PODS, True, dry_run=True)
    return operations.build(node.host, configuration)


CHANGES = {
    "partition": lambda dry, raw, volume: dry.disk.partition_disk(Context(), disk_number=raw),
    "partition by the service": lambda dry, raw, volume: dry.csi_proxy_service.partition_disk(
        Context(), disk_device=rf"\\.\PhysicalDrive{raw}", type=PartitionType.GPT
    ),
    "offline": lambda dry, raw, volume: dry.disk.set_disk_state(Context(), disk_number=raw, is_online=False),
    "format": lambda dry, raw, volume: dry.volume.format_volume(Context(), volume_id=volume),
    "resize": lambda dry, raw, volume: dry.volume.resize_volume(Context(), volume_id=volume, size_bytes=0),
    "mount": lambda dry, raw, volume: dry.volume.mount_volume(
        Context(), volume_id=volume, target_path=STAGING
    ),
    "flush": lambda dry, raw, volume: dry.volume.write_volume_cache(Context(), volume_id=volume),
    "mkdir": lambda dry, raw, volume: dry.filesystem.mkdir(Context(), path=PLUGINS + r"\a\b"),
    "rmdir": lambda dry, raw, volume: dry.filesystem.rmdir(Context(), path=PLUGINS + r"\pv1", force=True),
    "empty": lambda dry, raw, volume: dry.filesystem.rmdir_contents(Context(), path=PLUGINS + r"\pv1"),
    "link": lambda dry, raw, volume: dry.filesystem.create_symlink(
        Context(), source_path=STAGING, target_path=PODS + r"\link"
    ),
    "link by the service": lambda dry, raw, volume: dry.csi_proxy_service.link_path(
        Context(), source_path=PODS + r"\link", target_path=STAGING
    ),
    "mkdir by the service": lambda dry, raw, volume: dry.csi_proxy_service.mkdir(
        Context(), path=PLUGINS + r"\a", context=PathContext.PLUGIN
    ),
    "start": lambda dry, raw, volume: dry.system.start_service(Context(), name="MSiSCSI"),
    "stop": lambda dry, raw, volume: dry.system.stop_service(Context(), name="StorSvc", force=False),
    "share": lambda dry, raw, volume: dry.smb.new_smb_global_mapping(
        Context(), remote_path=r"\\server\share", local_path="", username="u", password=Secret("p")
    ),
}


def picture(node: EmulatedNode) -> tuple[tuple[DiskReport, ...], object, object, object]:
    """All that a call could change."""
    return (
        node.machine.inventory(),
        tree(os.path.join(node.machine.directory, "c")),
        node.machine.services.reports(),
        [(p.offset, p.size) for p in node.storage.disks.partitions(2)],
    )


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_named_and_not_made(node, dry, what):
    raw, volume = node.attach(), node.volume()
    node.machine.disks.grow(volume.disk, 128 << 20)
    node.storage.disks.rescan()
    node.make(STAGING)
    before = picture(node)
    with pytest.raises(FailedPrecondition) as caught:
        CHANGES[what](dry, raw, volume.id)
    assert caught.value.rail == "dry-run"
    assert "nothing was changed" in str(caught.value)
    assert picture(node) == before


def test_what_needs_no_change_succeeds(node, dry):
    staged = node.volume()
    node.make(STAGING)
    dry.disk.rescan(Context())
    dry.disk.partition_disk(Context(), disk_number=staged.disk)
    dry.disk.set_disk_state(Context(), disk_number=staged.disk, is_online=True)
    dry.filesystem.mkdir(Context(), path=STAGING)
    node.operations().filesystem.create_symlink(Context(), source_path=STAGING, target_path=PODS + r"\link")
    dry.filesystem.create_symlink(Context(), source_path=STAGING, target_path=PODS + r"\link")
    assert dry.filesystem.path_exists(Context(), path=STAGING).exists
    assert dry.disk.get_disk_stats(Context(), disk_number=staged.disk).total_bytes == 64 << 20


@pytest.mark.parametrize(
    ("refused", "call"),
    [
        (PermissionDenied, lambda dry: dry.filesystem.mkdir(Context(), path=r"C:\Windows\x")),
        (NotFound, lambda dry: dry.disk.partition_disk(Context(), disk_number=9)),
        (FailedPrecondition, lambda dry: dry.disk.partition_disk(Context(), disk_number=0)),
        (PermissionDenied, lambda dry: dry.system.stop_service(Context(), name="kubelet", force=True)),
    ],
)
def test_what_would_be_refused_is_refused_for_that(dry, refused, call):
    with pytest.raises(CsiProxyError) as caught:
        call(dry)
    assert type(caught.value) is refused
    assert caught.value.rail != "dry-run"


def test_it_offers_the_whole_port():
    def public(one: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(one, inspect.isfunction) if name[0] != "_"}

    assert public(RehearsedWin32) == public(Win32)
    assert public(RehearsedSession) == {"instances", "associated", "invoke"}
