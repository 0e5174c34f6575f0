"""Events have ids that stay, and names that every version's RPCs lead to."""

import pytest

from csiproxy.api import versions
from csiproxy.errors import Code
from csiproxy.server.event_kinds import Level, by_path, kinds, level_of

WINDOWS_LAST = 1000  # of the message file that shows events as they are
# Filters and alarms of operators hold these; they stay what they are.
RELEASED = {
    ("disk", "ListDiskLocations"): 100,
    ("disk", "GetDiskNumberByName"): 107,
    ("filesystem", "PathExists"): 200,
    ("filesystem", "IsSymlink"): 205,
    ("iscsi", "SetMutualChapSecret"): 307,
    ("smb", "RemoveSmbGlobalMapping"): 401,
    ("system", "GetService"): 503,
    ("volume", "MountVolume"): 601,
    ("volume", "FormatVolume"): 604,
    ("volume", "WriteVolumeCache"): 610,
    ("csi-proxy", "DismountVolume"): 717,
}
READS = {
    "GetBIOSSerialNumber",
    "GetClosestVolumeIDFromTargetPath",
    "GetDiskNumberByName",
    "GetDiskNumberFromVolumeID",
    "GetDiskState",
    "GetDiskStats",
    "GetService",
    "GetTargetDisks",
    "GetVolumeIDFromTargetPath",
    "GetVolumeStats",
    "IsSymlink",
    "IsVolumeFormatted",
    "ListDiskIDs",
    "ListDiskLocations",
    "ListDiskVolumeMappings",
    "ListTargetPortals",
    "ListVolumesOnDisk",
    "PathExists",
}


def test_every_rpc_of_every_version_is_an_event():
    found = by_path(versions.CONTRACTS)
    assert len(found) == sum(len(contract.rpcs) for contract in versions.CONTRACTS)
    assert found["/v1beta1.Disk/DiskStats"] == found["/v1.Disk/GetDiskStats"]
    assert found["/v1alpha1.Filesystem/IsMountPoint"].name == "IsSymlink"
    assert found["/v1.Filesystem/PathExists"] != found["/csiproxy.v1beta1.CSIProxyService/PathExists"]


def test_no_two_have_an_id_and_none_an_id_that_windows_cannot_show():
    ids = [kind.id for _, kind in kinds()]
    assert len(set(ids)) == len(ids)
    assert all(100 <= found <= WINDOWS_LAST for found in ids)


def test_ids_stay():
    found = {(group, kind.name): kind.id for group, kind in kinds()}
    assert {name: found[name] for name in RELEASED} == RELEASED


def test_only_what_changes_nothing_counts_as_reading():
    assert {kind.name for _, kind in kinds() if kind.reads} == READS


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Code.OK, Level.INFORMATION),
        (Code.NOT_FOUND, Level.WARNING),
        (Code.PERMISSION_DENIED, Level.WARNING),
        (Code.UNAVAILABLE, Level.ERROR),
        (Code.INTERNAL, Level.ERROR),
    ],
)
def test_a_level_says_whose_turn_it_is(outcome, level):
    assert level_of(outcome) is level
