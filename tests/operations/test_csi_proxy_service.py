"""CSIProxyService, line by line of what is promised: the code is what its clients get."""

import os

import pytest
from tests.emulated import GIB, KUBELET, MIB, NO_VOLUME, PLUGINS, PODS, EmulatedNode, Staged, tree
from tests.operations.ground import (
    MuteDisk,
    data,
    events,
    ext4,
    identifier,
    layout,
    system_volumes,
)
from tests.operations.refusals import refused
from tests.storage.scheduled import LossySession

from csiproxy.errors import (
    AlreadyExists,
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    Unavailable,
)
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageDevice
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import (
    CsiProxyService,
    FileSystemType,
    PartitionType,
    PathContext,
    disk_device,
    identifier_texts,
    parse_disk_device,
)
from csiproxy.operations.disk import DiskLocation
from csiproxy.storage.disk import PartitionStyle

STAGING = PLUGINS + r"\pv1\globalmount"
POD_VOLUME = PODS + r"\uid\volumes\pv1"
PREFIXES = {PathContext.PLUGIN: PLUGINS, PathContext.POD: PODS}


@pytest.fixture
def service(node: EmulatedNode) -> CsiProxyService:
    return node.operations().csi_proxy_service


@pytest.fixture
def call() -> Context:
    return Context()


# --- paths -------------------------------------------------------------------------------------------------

BAD_PATHS = [
    ("", InvalidArgument, 161),
    ("{}/x", InvalidArgument, 161),
    (r"\\server\share", InvalidArgument, 161),
    (r"\\?\{}", InvalidArgument, 161),
    (KUBELET[2:], InvalidArgument, 161),
    (r"{}\a..b\..\x", InvalidArgument, 123),
    (r"{}\x?", InvalidArgument, 123),
    (r"{}\com¹.txt", InvalidArgument, 123),
    ("{}\\" + "x" * 220 + "\\y" * 10, InvalidArgument, 206),
    ("{}-evil", PermissionDenied, 5),
    (KUBELET, PermissionDenied, 5),
    (r"C:\Windows", PermissionDenied, 5),
]


@pytest.mark.parametrize(("form", "error", "code"), BAD_PATHS)
@pytest.mark.parametrize("context", PathContext)
def test_a_path_that_breaks_a_rule_is_refused_by_every_operation(
    node, service, call, form, error, code, context
):
    path = form.format(PREFIXES[context])
    node.make(STAGING)
    before = tree(node.on_host("C:\\"))
    asks = [
        lambda: service.path_exists(call, path=path),
        lambda: service.mkdir(call, path=path, context=context),
        lambda: service.rmdir(call, path=path, context=context),
        lambda: service.rmdir_or_unlink(call, path=path, context=context),
    ]
    if context is PathContext.POD:
        asks += [
            lambda: service.link_path(call, source_path=path, target_path=STAGING),
            lambda: service.unlink_path(call, path=path),
        ]
    else:
        asks += [
            lambda: service.link_path(call, source_path=POD_VOLUME, target_path=path),
            lambda: service.mount_volume(call, volume_device=NO_VOLUME, target_path=path, readonly=False),
        ]
    for ask in asks:
        with refused(error, code):
            ask()
    assert tree(node.on_host("C:\\")) == before


@pytest.mark.parametrize("context", PathContext)
def test_the_context_says_which_prefix_bounds_the_path(node, service, call, context):
    other = PREFIXES[PathContext.POD if context is PathContext.PLUGIN else PathContext.PLUGIN]
    service.mkdir(call, path=PREFIXES[context] + r"\x", context=context)
    for ask in (service.mkdir, service.rmdir, service.rmdir_or_unlink):
        with refused(PermissionDenied, 5):
            ask(call, path=other + r"\x", context=context)
    for prefix in PREFIXES.values():  # the question is bounded by both
        assert service.path_exists(call, path=prefix).exists


@pytest.mark.parametrize("context", PathContext)
def test_the_prefix_itself_may_be_asked_about_and_not_changed(node, service, call, context):
    prefix = PREFIXES[context]
    assert service.path_exists(call, path=prefix).exists
    with refused(AlreadyExists, 183):
        service.mkdir(call, path=prefix, context=context)
    for ask in (service.rmdir, service.rmdir_or_unlink):
        with refused(PermissionDenied, 5):
            ask(call, path=prefix, context=context)
    assert os.path.isdir(node.on_host(prefix))


def test_a_prefix_that_does_not_exist_yet_is_a_missing_parent(node, service, call):
    os.rmdir(node.on_host(PODS))
    assert not service.path_exists(call, path=PODS).exists
    assert not service.path_exists(call, path=PODS + r"\x").exists
    with refused(NotFound, 3):
        service.mkdir(call, path=PODS + r"\x", context=PathContext.POD)
    with refused(NotFound, 3):
        service.rmdir(call, path=PODS + r"\x", context=PathContext.POD)
    service.unlink_path(call, path=PODS + r"\x")
    node.make(PODS)
    service.mkdir(call, path=PODS + r"\x", context=PathContext.POD)


# --- Mkdir, Rmdir, PathExists ------------------------------------------------------------------------------


def test_one_directory_is_made_and_an_existing_one_is_183(node, service, call):
    path = PLUGINS + r"\pv1"
    service.mkdir(call, path=path, context=PathContext.PLUGIN)
    with refused(AlreadyExists, 183):
        service.mkdir(call, path=path, context=PathContext.PLUGIN)
    with refused(NotFound, 3):
        service.mkdir(call, path=PLUGINS + r"\a\b", context=PathContext.PLUGIN)
    assert node.names(PLUGINS) == ["pv1"]


def test_only_an_empty_real_directory_is_removed(node, service, call):
    staged = mounted(node, service, call)
    node.make(PLUGINS + r"\full", file="x")
    node.make(PLUGINS + r"\bare")
    node.plant(PLUGINS + r"\planted", node.on_host(PLUGINS + r"\bare"))
    link_in(node, PLUGINS, "link", PLUGINS + r"\bare")
    for name, error, code in (
        ("full", FailedPrecondition, 145),
        (r"full\file", FailedPrecondition, 267),
        ("none", NotFound, 2),
        (r"none\x", NotFound, 3),
        ("link", PermissionDenied, 4395),
        ("planted", PermissionDenied, 4395),
        (r"planted\x", PermissionDenied, 4395),
        (r"pv1\globalmount", PermissionDenied, 4395),
    ):
        with refused(error, code):
            service.rmdir(call, path=PLUGINS + "\\" + name, context=PathContext.PLUGIN)
    service.rmdir(call, path=PLUGINS + r"\bare", context=PathContext.PLUGIN)
    assert node.names(PLUGINS) == ["full", "link", "planted", "pv1"]
    assert node.host.win32.mount_points(staged.id) == [STAGING]
    assert "escape-attempt" in events(call)


def link_in(node: EmulatedNode, directory: str, name: str, target: str) -> None:
    with node.host.win32.open_root(directory) as opened:
        node.host.win32.set_link(opened, name, target, replace=False)


def test_the_first_version_unlinks_what_linking_made_and_never_its_target(node, service, call):
    node.make(STAGING, file="x")
    node.make(PODS + r"\uid\volumes")
    service.link_path(call, source_path=POD_VOLUME, target_path=STAGING)
    service.rmdir_or_unlink(call, path=POD_VOLUME, context=PathContext.POD)
    assert node.names(PODS + r"\uid\volumes") == []
    assert node.names(STAGING) == ["file"]
    service.rmdir_or_unlink(call, path=PODS + r"\uid\volumes", context=PathContext.POD)
    with refused(NotFound, 2):
        service.rmdir_or_unlink(call, path=PODS + r"\uid\volumes", context=PathContext.POD)


def test_the_first_version_unlinks_under_the_plugins_prefix_links_to_shares_alone(node, service, call):
    node.make(PLUGINS + r"\bare")
    link_in(node, PLUGINS, "share", r"\\server\share")
    link_in(node, PLUGINS, "link", PLUGINS + r"\bare")
    mounted(node, service, call)
    service.rmdir_or_unlink(call, path=PLUGINS + r"\share", context=PathContext.PLUGIN)
    for path in (PLUGINS + r"\link", STAGING):
        with refused(PermissionDenied, 4395):
            service.rmdir_or_unlink(call, path=path, context=PathContext.PLUGIN)
    assert node.names(PLUGINS) == ["bare", "link", "pv1"]


def test_existence_is_a_names_own_and_a_dangling_link_exists(node, service, call):
    node.make(PODS, file="x")
    link_in(node, PODS, "dangling", PODS + r"\none")
    for name in ("file", "dangling"):
        assert service.path_exists(call, path=PODS + "\\" + name).exists
    assert not service.path_exists(call, path=PODS + r"\none").exists
    assert not service.path_exists(call, path=PODS + r"\none\x").exists
    with refused(PermissionDenied, 4395):
        service.path_exists(call, path=PODS + r"\dangling\x")


# --- LinkPath, UnlinkPath ----------------------------------------------------------------------------------


@pytest.fixture
def ends(node) -> None:
    node.make(STAGING, file="x")
    node.make(PODS + r"\uid\volumes")


def test_a_link_in_the_pod_leads_to_the_staging_directory_and_again_is_success(node, service, call, ends):
    for target in (STAGING, STAGING.lower(), STAGING + "\\"):
        service.link_path(call, source_path=POD_VOLUME, target_path=target)
    assert node.names(POD_VOLUME) == ["file"]


def test_an_empty_directory_there_is_replaced_and_anything_else_is_183(node, service, call, ends):
    node.make(POD_VOLUME)
    service.link_path(call, source_path=POD_VOLUME, target_path=STAGING)
    assert node.names(POD_VOLUME) == ["file"]
    node.make(PLUGINS + r"\other")
    node.make(PODS + r"\full", file="x")
    node.plant(PODS + r"\planted", "/")
    before = tree(node.on_host(PODS))
    for source in (POD_VOLUME, PODS + r"\full", PODS + r"\full\file", PODS + r"\planted"):
        with refused(AlreadyExists, 183):
            service.link_path(call, source_path=source, target_path=PLUGINS + r"\other")
    assert tree(node.on_host(PODS)) == before


def test_the_ends_of_a_link_lie_under_their_prefixes_and_the_target_exists(node, service, call, ends):
    node.make(PLUGINS + r"\file", file="x")
    for source, target, error, code in (
        (POD_VOLUME, PLUGINS + r"\none", NotFound, 2),
        (POD_VOLUME, PLUGINS + r"\none\x", NotFound, 3),
        (POD_VOLUME, PLUGINS + r"\file\file", FailedPrecondition, 267),
        (POD_VOLUME, PODS + r"\uid", PermissionDenied, 5),
        (PLUGINS + r"\x", STAGING, PermissionDenied, 5),
        (PODS + r"\none\x", STAGING, NotFound, 3),
        (PODS, STAGING, PermissionDenied, 5),
    ):
        with refused(error, code):
            service.link_path(call, source_path=source, target_path=target)
    service.link_path(call, source_path=POD_VOLUME, target_path=PLUGINS)  # the prefix may be linked to


def test_a_link_is_removed_and_a_missing_one_is_success(node, service, call, ends):
    service.link_path(call, source_path=POD_VOLUME, target_path=STAGING)
    for path in (POD_VOLUME, POD_VOLUME, PODS + r"\none\x"):
        service.unlink_path(call, path=path)
    assert node.names(STAGING) == ["file"]
    with refused(FailedPrecondition, 4390):
        service.unlink_path(call, path=PODS + r"\uid")
    node.plant(PODS + r"\planted", "/")
    with refused(PermissionDenied, 4395):
        service.unlink_path(call, path=PODS + r"\planted")
    with refused(PermissionDenied, 5):
        service.unlink_path(call, path=STAGING)


# --- disks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 9, 10, 4294967295])
def test_a_disk_device_is_written_as_windows_does(number):
    assert parse_disk_device(disk_device(number)) == number
    assert parse_disk_device(disk_device(number).lower()) == number


@pytest.mark.parametrize(
    "text",
    [
        "", "1", "PhysicalDrive1", r"\\.\PhysicalDrive", r"\\.\PhysicalDrive01", r"\\.\PhysicalDrive-1",
        r"\\.\PhysicalDrive4294967296", r"\\.\PhysicalDrive1\x", r"\\?\PhysicalDrive1",
        r"\\.\PhysicalDrive1 ",
        "\\\\.\\PhysicalDrive1\n", r"\\.\PhysicalDrive١", "//./PhysicalDrive1", r"\\.\C:",
    ],
)  # fmt: skip
def test_any_other_disk_device_is_87(service, call, text):
    with refused(InvalidArgument, 87):
        service.partition_disk(call, disk_device=text, type=PartitionType.GPT)


def test_a_disk_that_is_not_there_is_1168(service, call):
    with refused(NotFound, 1168):
        service.partition_disk(call, disk_device=disk_device(9), type=PartitionType.GPT)


@pytest.mark.parametrize(
    ("kind", "style"), [(PartitionType.GPT, PartitionStyle.GPT), (PartitionType.MBR, PartitionStyle.MBR)]
)
def test_a_raw_disk_gets_the_table_asked_for_and_its_volume_is_returned(node, service, call, kind, style):
    number = node.attach()
    device = disk_device(number)
    made = service.partition_disk(call, disk_device=device, type=kind).volume_device
    assert node.storage.disks.get(number).style is style
    before = layout(node, number)
    for other in PartitionType:  # a partitioned one is left alone, whatever is asked for
        assert service.partition_disk(call, disk_device=device, type=other).volume_device == made
    assert layout(node, number) == before
    assert node.storage.volumes.get(made).id == made


def test_a_san_policys_disk_becomes_usable_and_the_systems_never(node, service, call):
    number = node.attach(policy_read_only=True)
    assert service.partition_disk(call, disk_device=disk_device(number), type=PartitionType.GPT).volume_device
    assert events(call) == ["bringing-online", "brought-online", "clearing-read-only", "cleared-read-only"]
    with refused(FailedPrecondition, 50):
        service.partition_disk(call, disk_device=disk_device(0), type=PartitionType.GPT)
    with refused(FailedPrecondition, 19):
        service.partition_disk(
            call, disk_device=disk_device(node.attach(read_only=True)), type=PartitionType.GPT
        )


@pytest.mark.parametrize("lost", range(5))
def test_partitioning_after_a_lost_reply_returns_the_volume(node, lost):
    number = node.attach()
    service = node.operations(cim=LossySession(node.machine.session, lost)).csi_proxy_service
    try:
        made = service.partition_disk(Context(), disk_device=disk_device(number), type=PartitionType.MBR)
    except Unavailable:
        made = service.partition_disk(Context(), disk_device=disk_device(number), type=PartitionType.MBR)
    assert len(data(node, number)) == 1
    assert node.storage.volumes.get(made.volume_device)
    assert node.storage.disks.get(number).style is PartitionStyle.MBR


def test_what_is_listed_is_keyed_by_disk_device(node, service, call):
    raw = node.attach(adapter=2, bus_number=5, target=3, lun=17)
    staged = node.volume()
    locations = service.list_disk_locations(call).disk_locations
    assert locations[disk_device(raw)] == DiskLocation("2", "5", "3", "17")
    volumes = service.list_disk_volume_mappings(call).disk_volumes
    assert volumes[disk_device(staged.disk)].volume_devices == (staged.id,)
    assert disk_device(raw) not in volumes
    assert set(volumes[disk_device(0)].volume_devices) == set(system_volumes(node))


def test_a_disk_that_cannot_be_asked_is_left_out_and_noted(node, call):
    node.attach()
    node.attach()
    service = node.operations(win32=MuteDisk(node.host.win32)).csi_proxy_service
    assert set(service.list_disk_ids(call).disk_id) == {disk_device(0), disk_device(2)}
    assert events(call) == ["disk-left-out"]


@pytest.mark.parametrize(
    ("descriptor", "text"),
    [
        (identifier(b"vendor text"), "vendor text"),
        (identifier(b"\x01\x02", code_set=CodeSet.BINARY), "0102"),
        (identifier(b"Google  disk-1", type=IdentifierType.VENDOR_ID), "t10.Google  disk-1"),
        (identifier(b"t10.disk-1", type=IdentifierType.VENDOR_ID), "t10.disk-1"),
        (identifier(bytes(8), code_set=CodeSet.BINARY, type=IdentifierType.EUI64), "eui.0000000000000000"),
        (identifier(b"eui.01", type=IdentifierType.EUI64), "eui.01"),
        (identifier(b"EUI.01", type=IdentifierType.EUI64), "EUI.01"),
        (identifier(b"\x60\x0a", code_set=CodeSet.BINARY, type=IdentifierType.FCPH_NAME), "naa.600a"),
        (
            identifier(b"iqn.2001:x", code_set=CodeSet.UTF8, type=IdentifierType.SCSI_NAME_STRING),
            "iqn.2001:x",
        ),
        (identifier(b"naa.01", code_set=CodeSet.UTF8, type=IdentifierType.SCSI_NAME_STRING), "naa.01"),
    ],
)
def test_an_identifier_says_its_kind_once(descriptor, text):
    assert identifier_texts(StorageDevice(1, (descriptor,)), "") == (text,)


def test_every_identifier_of_the_device_is_told_and_the_serial_number(node, service, call):
    number = node.attach(
        identifiers=(
            identifier(b"one"),
            identifier(b"port", association=Association.PORT),
            identifier(b""),
            identifier(b"two", type=IdentifierType.VENDOR_ID),
        ),
        serial="  S-1 ",
    )
    found = service.list_disk_ids(call).disk_id[disk_device(number)]
    assert found.ids == ("one", "t10.two", "serial.S-1")
    assert identifier_texts(StorageDevice(1, ()), " ") == ()


def test_a_rescan_refreshes_sizes(node, service, call):
    number = node.attach()
    node.machine.disks.grow(number, GIB)
    service.rescan(call)
    assert node.storage.disks.get(number).size == GIB


# --- volumes -----------------------------------------------------------------------------------------------


def mounted(node: EmulatedNode, service: CsiProxyService, call: Context) -> Staged:
    staged = node.volume()
    node.make(STAGING)
    service.mount_volume(call, volume_device=staged.id, target_path=STAGING, readonly=False)
    return staged


FORMATS = [(FileSystemType.NTFS, "NTFS"), (FileSystemType.FAT, "FAT32")]


@pytest.mark.parametrize(("kind", "name"), FORMATS)
def test_a_raw_volume_is_formatted_and_again_is_success_without_a_loss(node, service, call, kind, name):
    staged = node.volume(formatted=False)
    for device in (staged.id, staged.id[:-1], staged.id.replace("Volume{", "Volume\\{")):
        service.format_volume(call, volume_device=device, type=kind)
        assert node.storage.volumes.get(staged.id).file_system == name
        if not os.listdir(staged.files):
            staged.put("file")
    assert os.listdir(staged.files) == ["file"]
    assert events(call) == ["formatting"]
    other = next(other for other, _ in FORMATS if other is not kind)
    with refused(AlreadyExists, 183):
        service.format_volume(call, volume_device=staged.id, type=other)
    assert os.listdir(staged.files) == ["file"]


@pytest.mark.parametrize("kind", FileSystemType)
def test_a_file_system_of_another_system_is_183_and_not_written_over(node, service, call, kind):
    staged = node.volume(formatted=False)
    staged.write(ext4(), 1024)
    with open(node.image_of(staged.disk), "rb") as file:
        before = file.read()
    with refused(AlreadyExists, 183):
        service.format_volume(call, volume_device=staged.id, type=kind)
    with open(node.image_of(staged.disk), "rb") as file:
        assert file.read() == before


def test_fat32_above_32_gib_is_87_and_the_volume_stays_raw(node, service, call):
    staged = node.volume(33 * GIB, formatted=False)
    with refused(OutOfRange, 87):
        service.format_volume(call, volume_device=staged.id, type=FileSystemType.FAT)
    assert not node.storage.volumes.get(staged.id).is_formatted
    service.format_volume(call, volume_device=staged.id, type=FileSystemType.NTFS)
    with refused(AlreadyExists, 183):
        service.format_volume(call, volume_device=staged.id, type=FileSystemType.FAT)


def test_exactly_32_gib_can_be_fat32(node, service, call):
    number = node.attach(40 * GIB)
    node.storage.disks.initialize(node.storage.disks.get(number), PartitionStyle.GPT)
    disk = node.storage.disks.get(number).instance
    assert node.machine.session.invoke(disk, "CreatePartition", Size=32 * GIB).return_value == 0
    [volume] = node.operations().disk.volumes_of(number)
    service.format_volume(call, volume_device=volume.id, type=FileSystemType.FAT)


def test_a_large_fat32_from_elsewhere_is_what_was_asked_for(node, service, call):
    """Windows makes none above 32 GiB but reads them; asking for FAT again is asking for what is there."""
    staged = node.volume(33 * GIB, formatted=False)
    boot = bytearray(512)
    boot[0:3], boot[11:13], boot[13], boot[82:90], boot[510:512] = (
        b"\xeb\x58\x90",
        b"\x00\x02",
        64,
        b"FAT32   ",
        b"\x55\xaa",
    )
    boot[14:16], boot[16], boot[21], boot[36:40] = b"\x20\x00", 2, 0xF8, (8000).to_bytes(4, "little")
    staged.write(bytes(boot))
    assert node.storage.volumes.get(staged.id).file_system == "FAT32"
    service.format_volume(call, volume_device=staged.id, type=FileSystemType.FAT)
    assert events(call) == []


def test_the_systems_volumes_are_nobodys_storage(node, service, call):
    node.make(STAGING)
    for volume in system_volumes(node):
        for ask in (
            lambda volume=volume: service.format_volume(call, volume_device=volume, type=FileSystemType.NTFS),
            lambda volume=volume: service.mount_volume(
                call, volume_device=volume, target_path=STAGING, readonly=False
            ),
            lambda volume=volume: service.resize_volume(call, volume_device=volume, new_size=0),
        ):
            with refused(FailedPrecondition, 50):
                ask()


def test_the_first_version_formats_and_mounts_and_again_is_success(node, service, call):
    staged = node.volume(formatted=False)
    node.make(STAGING)
    for path in ("", STAGING, STAGING):
        service.format_volume_and_mount(
            call, volume_device=staged.id, type=FileSystemType.NTFS, staging_path=path
        )
    assert node.host.win32.mount_points(staged.id) == [STAGING]


def test_the_first_version_checks_the_staging_path_before_it_formats(node, service, call):
    staged = node.volume(formatted=False)
    for path, error, code in (
        (r"C:\Windows", PermissionDenied, 5),
        (PODS + r"\x", PermissionDenied, 5),
        (PLUGINS, PermissionDenied, 5),
        ("x", InvalidArgument, 161),
    ):
        with refused(error, code):
            service.format_volume_and_mount(
                call, volume_device=staged.id, type=FileSystemType.NTFS, staging_path=path
            )
    assert not node.storage.volumes.get(staged.id).is_formatted


@pytest.mark.parametrize("lost", range(3))
def test_formatting_and_mounting_after_a_lost_reply_finishes_the_job(node, lost):
    staged = node.volume(formatted=False)
    node.make(STAGING)
    service = node.operations(cim=LossySession(node.machine.session, lost)).csi_proxy_service
    for attempt in range(2):
        try:
            service.format_volume_and_mount(
                Context(), volume_device=staged.id, type=FileSystemType.FAT, staging_path=STAGING
            )
        except Unavailable:
            assert attempt == 0
    assert node.host.win32.mount_points(staged.id) == [STAGING]
    assert node.storage.volumes.get(staged.id).file_system == "FAT32"


def test_a_volume_is_mounted_under_the_plugins_prefix_and_again_is_success(node, service, call):
    staged = mounted(node, service, call)
    service.mount_volume(call, volume_device=staged.id[:-1], target_path=STAGING, readonly=False)
    assert node.host.win32.mount_points(staged.id) == [STAGING]
    with refused(PermissionDenied, 5):
        service.mount_volume(call, volume_device=staged.id, target_path=PODS + r"\x", readonly=False)
    with refused(FailedPrecondition, 145):
        service.mount_volume(call, volume_device=node.volume().id, target_path=STAGING, readonly=False)
    node.make(PLUGINS + r"\other")
    with refused(FailedPrecondition, 50):  # honoured or refused, never ignored
        service.mount_volume(call, volume_device=staged.id, target_path=PLUGINS + r"\other", readonly=True)


def test_a_volume_grows_and_unknown_sizes_are_87(node, service, call):
    staged = node.volume()
    node.machine.disks.grow(staged.disk, 256 * MIB)
    service.resize_volume(call, volume_device=staged.id, new_size=100 * MIB)
    assert node.storage.volumes.partition(node.storage.volumes.get(staged.id)).size == 100 * MIB
    for size in (-1, 257 * MIB):
        with pytest.raises(CsiProxyError) as caught:
            service.resize_volume(call, volume_device=staged.id, new_size=size)
        assert caught.value.windows_code == 87
    with refused(NotFound, 1168):
        service.resize_volume(call, volume_device=NO_VOLUME, new_size=0)


# --- DismountVolume ----------------------------------------------------------------------------------------


def mount_at(node: EmulatedNode, volume: str, path: str) -> None:
    """Mount as the operator can, wherever that is."""
    node.make(path)
    parent, _, name = path.rpartition("\\")
    with node.host.win32.open_root(parent) as opened:
        node.host.win32.set_mount_point(opened, name, volume)


def test_a_volume_is_dismounted_everywhere_under_the_prefixes_and_nowhere_else(node, service, call):
    staged = mounted(node, service, call)
    staged.put("file")
    ours = [PLUGINS + r"\other", PODS + r"\uid\x"]
    theirs = [r"C:\data", KUBELET + r"\mine", KUBELET + r"\pods-mine"]
    for path in ours + theirs:
        mount_at(node, staged.id, path)
    for _ in range(2):
        service.dismount_volume(call, volume_device=staged.id)
    assert sorted(node.host.win32.mount_points(staged.id)) == sorted(theirs)
    for path in (STAGING, *ours):
        assert node.names(path) == []
    assert os.listdir(staged.files) == ["file"]


def test_the_prefix_itself_stays_mounted_when_the_operator_mounted_a_volume_there(node, service, call):
    staged = node.volume()
    os.rmdir(node.on_host(PODS))
    mount_at(node, staged.id, PODS)
    service.dismount_volume(call, volume_device=staged.id)
    assert node.host.win32.mount_points(staged.id) == [PODS]


def test_a_volume_that_has_vanished_has_its_dangling_mount_points_removed_and_that_is_noted(
    node, service, call
):
    staged = mounted(node, service, call)
    staged.detach()
    for _ in range(2):
        service.dismount_volume(call, volume_device=staged.id)
    assert node.names(STAGING) == []
    assert events(call) == ["volume-has-vanished"] * 2


def test_a_volume_that_was_never_there_is_dismounted_as_well(service, call):
    service.dismount_volume(call, volume_device=NO_VOLUME)
    assert events(call) == ["volume-has-vanished"]


# --- the life of a claim -----------------------------------------------------------------------------------


def test_the_whole_life_of_a_claim_each_call_twice(node, service, call):
    number = node.attach()
    device = disk_device(number)

    def twice(ask):
        ask()
        return ask()

    volume = twice(
        lambda: service.partition_disk(call, disk_device=device, type=PartitionType.GPT)
    ).volume_device
    twice(lambda: service.format_volume(call, volume_device=volume, type=FileSystemType.NTFS))
    node.make(STAGING)
    node.make(PODS + r"\uid\volumes")
    twice(lambda: service.mount_volume(call, volume_device=volume, target_path=STAGING, readonly=False))
    twice(lambda: service.link_path(call, source_path=POD_VOLUME, target_path=STAGING))
    with open(node.on_host(POD_VOLUME + r"\file"), "w") as file:
        file.write("data")
    node.machine.disks.grow(number, 256 * MIB)
    twice(lambda: service.rescan(call))
    twice(lambda: service.resize_volume(call, volume_device=volume, new_size=256 * MIB))
    twice(lambda: service.unlink_path(call, path=POD_VOLUME))
    twice(lambda: service.dismount_volume(call, volume_device=volume))
    service.rmdir(call, path=STAGING, context=PathContext.PLUGIN)
    assert os.listdir(node.machine.disks.volume_directory(volume)) == ["file"]
