"""Every code that storage/codes.py knows reaches a client of the operations as what the table says."""

from functools import partial
from pathlib import Path

import pytest
from tests.emulated import MIB, PLUGINS, PODS
from tests.emulator.documented_codes import DOCUMENTED
from tests.operations.iscsi_methods import ISCSI_METHODS

from csiproxy import storage
from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import CsiProxyError, Internal
from csiproxy.host import schema
from csiproxy.host.iscsi_schema import ISCSI_CLASSES
from csiproxy.operations.context import Context
from csiproxy.storage import codes
from csiproxy.storage.disk import PartitionStyle

SYSTEM_SERVICE = "StorSvc"
CLASSES = (
    schema.MSFT_DISK,
    schema.MSFT_PARTITION,
    schema.MSFT_VOLUME,
    schema.MSFT_STORAGE_SETTING,
    schema.WIN32_SERVICE,
    *ISCSI_CLASSES,
)
# Methods of other classes that have the name of one that is called.
SAME_NAMES = {"MSFT_Partition.Offline", "MSFT_iSCSITarget.Update"}


def failure(work) -> CsiProxyError:
    with pytest.raises(CsiProxyError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("value", codes.CIM)
def test_every_return_value_of_the_storage_classes_arrives(node, value):
    meaning = codes.CIM[value]
    node.machine.faults.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.FAIL, code=value))
    error = failure(lambda: node.operations().disk.rescan(Context()))
    assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code)
    assert error.origin == f"MSFT_StorageSetting.UpdateHostStorageCache returned {value}"


def test_a_return_value_that_nobody_documents_is_internal(node):
    node.machine.faults.order(Fault("MSFT_StorageSetting.*", Action.FAIL, code=54321))
    error = failure(lambda: node.operations().disk.rescan(Context()))
    assert (type(error).__name__, error.windows_code) == ("Internal", 31)


@pytest.mark.parametrize("value", codes.HRESULT)
def test_every_hresult_arrives(node, value):
    found, windows_code, _ = codes.HRESULT[value]
    node.machine.faults.order(Fault("MSFT_Disk", Action.FAIL, code=value))
    error = failure(lambda: node.operations().disk.get_disk_stats(Context(), disk_number=0))
    assert (type(error), error.windows_code) == (found, windows_code)


@pytest.mark.parametrize("code", codes.WIN32)
def test_every_win32_code_arrives_also_inside_an_hresult(node, code):
    found, _ = codes.WIN32[code]
    path = r"C:\var\lib\kubelet\pods\link"
    filesystem = node.operations().filesystem
    filesystem.create_symlink(Context(), source_path=r"C:\var\lib\kubelet\plugins", target_path=path)
    if code not in (2, 3):  # those mean here that there is nothing, which is no failure
        node.machine.faults.order(Fault("describe", Action.FAIL, code=code))
        error = failure(lambda: filesystem.path_exists(Context(), path=path))
        assert (type(error), error.windows_code) == (found, code)
    node.machine.faults.order(Fault("MSFT_Disk", Action.FAIL, code=0x80070000 | code))
    error = failure(lambda: node.operations().disk.get_disk_stats(Context(), disk_number=0))
    assert (type(error), error.windows_code) == (found, code)


@pytest.mark.parametrize("value", codes.SERVICE)
def test_every_return_value_of_services_arrives(node, value):
    meaning = codes.SERVICE[value]
    step, work = "StartService", node.operations().system.start_service
    arguments = {"name": "MSiSCSI"}
    if value == 10:  # running already is what was asked for, so it is asked of the other method
        step, work = "StopService", node.operations().system.stop_service
        arguments = {"name": SYSTEM_SERVICE, "force": False}
    node.machine.faults.order(Fault(f"Win32_Service.{step}", Action.FAIL, code=value))
    error = failure(lambda: work(Context(), **arguments))
    assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code)


# --- every code that Windows documents for a method that is called -----------------------------------------


def raw_disk(node) -> int:
    return node.attach()


def initialized_disk(node) -> int:
    number = node.attach()
    node.storage.disks.initialize(node.storage.disks.get(number), PartitionStyle.GPT)
    return number


def disk_with_an_offline_partition(node) -> int:
    number = node.volume().disk
    [*_, partition] = node.machine.session.instances("MSFT_Partition", DiskNumber=number)
    assert node.machine.session.invoke(partition, "Offline").return_value == 0
    return number


def grown_volume(node) -> str:
    staged = node.volume()
    node.machine.disks.grow(staged.disk, 256 * MIB)
    return staged.id


def partition(groups, number):
    groups.disk.partition_disk(Context(), disk_number=number)


def resize(groups, volume):
    groups.volume.resize_volume(Context(), volume_id=volume, size_bytes=0)


def switch(groups, number, online):
    groups.disk.set_disk_state(Context(), disk_number=number, is_online=online)


# What hardware locks as well stays locked, and that alone fails no call.
READ_ONLY = tuple(value for value, meaning in codes.CIM.items() if meaning.windows_code == 19)

# By method: what there is, the call that comes to it, and the codes that are no failure of it.
METHODS = {
    "MSFT_StorageSetting.UpdateHostStorageCache": (
        lambda node: None,
        lambda groups, _: groups.disk.rescan(Context()),
        (),
    ),
    "MSFT_Disk.Initialize": (raw_disk, partition, (41001,)),
    "MSFT_Disk.CreatePartition": (initialized_disk, partition, (42002,)),
    "MSFT_Disk.Refresh": (grown_volume, resize, (41000,)),
    "MSFT_Disk.Online": (
        lambda node: node.attach(offline=True),
        lambda groups, number: switch(groups, number, online=True),
        (),
    ),
    "MSFT_Disk.Offline": (raw_disk, lambda groups, number: switch(groups, number, online=False), ()),
    "MSFT_Disk.SetAttributes": (lambda node: node.attach(policy_read_only=True), partition, READ_ONLY),
    "MSFT_Partition.Online": (disk_with_an_offline_partition, partition, ()),
    "MSFT_Partition.Resize": (grown_volume, resize, ()),
    "MSFT_Volume.Format": (
        lambda node: node.volume(formatted=False).id,
        lambda groups, volume: groups.volume.format_volume(Context(), volume_id=volume),
        (),
    ),
    "MSFT_Volume.Flush": (
        lambda node: node.volume().id,
        lambda groups, volume: groups.volume.write_volume_cache(Context(), volume_id=volume),
        (),
    ),
    "Win32_Service.StartService": (
        lambda node: "MSiSCSI",
        lambda groups, name: groups.system.start_service(Context(), name=name),
        (10,),
    ),
    "Win32_Service.StopService": (
        lambda node: SYSTEM_SERVICE,
        lambda groups, name: groups.system.stop_service(Context(), name=name, force=False),
        (5,),
    ),
}


def table_of(method: str) -> dict[int, codes.Meaning]:
    return codes.SERVICE if method.startswith("Win32_Service.") else codes.CIM


def documented(method: str) -> list[int]:
    """The return values on the method's page, and those of the table that any method may give."""
    class_name, name = method.split(".")
    listed = DOCUMENTED[class_name]["methods"][name]["returns"]
    return sorted({*listed, *table_of(method)} - {0})


@pytest.mark.parametrize("method", METHODS)
def test_every_return_value_of_a_method_that_is_called_arrives(node, method):
    prepare, work, fine = METHODS[method]
    subject = prepare(node)
    groups = node.operations()
    for value in documented(method):
        if value in fine:
            continue
        node.machine.faults.order(Fault(method, Action.FAIL, code=value))
        error = failure(partial(work, groups, subject))
        meaning = table_of(method)[value]
        assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code), (value, error)
        assert error.origin == f"{method} returned {value}"
    assert node.machine.faults.pending() == ()
    work(groups, subject)  # nothing of it was done, so all is still to do


def test_no_method_is_called_that_is_not_tried_here():
    known = {f"{one.name}.{method}": method for one in CLASSES for method in one.methods}
    sources = "".join(path.read_text() for path in Path(storage.__file__).parent.glob("*.py"))
    assert {name for name, method in known.items() if f'"{method}"' in sources} == {
        *METHODS,
        *ISCSI_METHODS,
        *SAME_NAMES,
    }


# --- every Windows code at every step that a proxy makes of the namespace -----------------------------------

STAGING = PLUGINS + r"\pv\globalmount"
LINK = PODS + r"\pod\link"


class Claim:
    """A volume that is mounted and linked, or not."""

    def __init__(self, node) -> None:
        self.groups = node.operations()
        staged = node.volume()
        staged.put("file")
        self.volume = staged.id
        node.make(STAGING)
        node.make(PODS + r"\pod")

    def mount(self) -> None:
        self.groups.volume.mount_volume(Context(), volume_id=self.volume, target_path=STAGING)

    def unmount(self) -> None:
        self.groups.volume.unmount_volume(Context(), volume_id=self.volume, target_path=STAGING)

    def dismount(self) -> None:
        self.groups.csi_proxy_service.dismount_volume(Context(), volume_device=self.volume)

    def link(self) -> None:
        self.groups.csi_proxy_service.link_path(Context(), source_path=LINK, target_path=PLUGINS)

    def unlink(self) -> None:
        self.groups.csi_proxy_service.unlink_path(Context(), path=LINK)

    def look_up(self) -> None:
        self.groups.volume.get_volume_id_from_target_path(Context(), target_path=STAGING)

    def look_behind(self) -> None:
        self.groups.volume.get_closest_volume_id_from_target_path(Context(), target_path=STAGING + r"\file")


# The call that brings about the state, the one that makes the step, and the codes that are no failure of it:
# what is to be removed and is not there.
STEPS = [
    ("set_mount_point", Claim.unmount, Claim.mount, ()),
    ("delete_mount_point", Claim.mount, Claim.unmount, (2, 3)),
    ("delete_mount_point", Claim.mount, Claim.dismount, (2, 3)),
    ("mount_points", Claim.mount, Claim.dismount, ()),
    ("mounted", Claim.mount, Claim.look_behind, ()),
    ("describe", Claim.mount, Claim.look_up, ()),
    ("describe", Claim.link, Claim.unlink, (2, 3)),
    ("set_link", Claim.unlink, Claim.link, (183,)),  # it looks again, and says what it sees then
    ("remove_link", Claim.link, Claim.unlink, (2, 3)),
]
UNKNOWN = 1314


@pytest.mark.parametrize(
    ("step", "before", "work", "fine"), STEPS, ids=lambda one: getattr(one, "__name__", None)
)
def test_every_windows_code_of_a_step_arrives_unchanged(node, step, before, work, fine):
    claim = Claim(node)
    for code in sorted({*codes.WIN32, UNKNOWN} - set(fine)):
        before(claim)
        node.machine.faults.order(Fault(step, Action.FAIL, code=code))
        error = failure(partial(work, claim))
        wanted = codes.WIN32[code][0] if code != UNKNOWN else Internal
        assert (type(error), error.windows_code) == (wanted, code), error
        assert node.machine.faults.pending() == ()
    before(claim)
    work(claim)


def test_a_disk_whose_driver_gives_any_code_is_left_out_of_what_is_listed(node):
    number = node.attach()
    groups = node.operations()
    for code in (*codes.WIN32, UNKNOWN):
        context = Context()
        node.machine.faults.order(Fault("storage_device", Action.FAIL, nth=2, code=code))
        assert number not in groups.disk.list_disk_ids(context).disk_ids
        [note] = context.notes
        assert (note.event, note.facts) == ("disk-left-out", {"disk": number, "windows_code": code})
    assert number in groups.disk.list_disk_ids(Context()).disk_ids
