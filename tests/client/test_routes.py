"""Which version a call goes to."""

import pytest

from csiproxy.api.versions import CONTRACTS
from csiproxy.client.routes import Routes, by_preference
from csiproxy.errors import Unavailable, Unimplemented


class Endpoints:
    """A transport on which some versions answer; what is dialled is noted."""

    where = "on a desk"

    def __init__(self, *names: str) -> None:
        self.served = {contract.endpoint for contract in CONTRACTS if contract.name in names}
        self.dialled: list[str] = []

    def reaches(self, endpoint: str) -> bool:
        self.dialled.append(endpoint)
        return endpoint in self.served


def test_stable_versions_come_first_then_beta_then_alpha_the_newest_of_each_first():
    volume = [contract for contract in CONTRACTS if contract.group == "volume"]
    assert [contract.version for contract in by_preference(volume)] == [
        "v1", "v1beta3", "v1beta2", "v1beta1", "v2alpha1", "v1alpha1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("served", "rpc", "path"),
    [
        (("disk/v1", "disk/v1beta2"), "GetDiskStats", "/v1.Disk/GetDiskStats"),
        (("disk/v1beta1", "disk/v1beta2"), "GetDiskStats", "/v1beta2.Disk/DiskStats"),
        (("disk/v1alpha1", "disk/v1beta1"), "PartitionDisk", "/v1beta1.Disk/PartitionDisk"),
    ],
)
def test_a_call_goes_to_the_preferred_version_that_is_served(served, rpc, path):
    assert Routes(Endpoints(*served)).find("disk", rpc).path == path


def test_an_rpc_that_only_another_served_version_has_goes_there():
    routes = Routes(Endpoints("volume/v1", "volume/v2alpha1"))
    assert routes.find("volume", "MountVolume").contract.name == "volume/v1"
    assert routes.find("volume", "GetClosestVolumeIDFromTargetPath").contract.name == "volume/v2alpha1"


def test_what_was_found_is_not_dialled_again_until_it_is_forgotten():
    endpoints = Endpoints("disk/v1")
    routes = Routes(endpoints)
    assert routes.find("disk", "Rescan") is routes.find("disk", "Rescan")
    assert endpoints.dialled == ["csi-proxy-disk-v1"]
    endpoints.served = {"csi-proxy-disk-v1beta3"}
    routes.forget("disk")
    assert routes.find("disk", "Rescan").contract.name == "disk/v1beta3"


def test_a_group_that_nobody_serves_is_unavailable_and_a_missing_rpc_unimplemented():
    with pytest.raises(Unavailable, match="no version of group smb is served on a desk: start csi-proxy"):
        Routes(Endpoints("disk/v1")).find("smb", "NewSmbGlobalMapping")
    with pytest.raises(Unimplemented, match="serves disk/v1alpha1 only, without GetDiskState"):
        Routes(Endpoints("disk/v1alpha1")).find("disk", "GetDiskState")


def test_replies_that_tell_failures_in_a_text_are_known():
    assert Routes(Endpoints("filesystem/v1beta1")).find("filesystem", "Mkdir").has_error_text
    assert not Routes(Endpoints("filesystem/v1")).find("filesystem", "Mkdir").has_error_text
