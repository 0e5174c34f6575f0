import json

from tests.cli.conftest import CommandLine

from csiproxy.api import versions
from csiproxy.api.endpoints import pipe_name
from csiproxy.api.lifecycle import EarliestRemoval, Lifecycle, date
from csiproxy.api.overview import VersionRow
from csiproxy.cli.versions import lifetime_columns


def row(kept: EarliestRemoval | None, deprecated_in: str = "") -> VersionRow:
    return VersionRow("disk/v1", "stable", "e", "p", "s", True, (), (), Lifecycle(deprecated_in), kept)


def test_every_contract_has_a_line_with_its_endpoint(csi_proxy: CommandLine) -> None:
    lines = csi_proxy("versions").out.splitlines()
    assert lines[0].split("  ")[0] == "CONTRACT"
    shown = {line.split()[0]: line.split() for line in lines[1:]}
    assert set(shown) == {contract.name for contract in versions.CONTRACTS}
    disk = shown["disk/v1beta1"]
    assert disk[1:4] == ["beta", "csi-proxy-disk-v1beta1", "5"]


def test_programs_get_every_rpc(csi_proxy: CommandLine) -> None:
    rows = json.loads(csi_proxy("versions", "-o", "json").out)
    assert {entry["contract"]: tuple(entry["rpcs"]) for entry in rows} == {
        contract.name: contract.rpcs for contract in versions.CONTRACTS
    }
    for entry in rows:
        assert entry["pipe"] == pipe_name(entry["endpoint"])
        assert entry["socket"] == entry["endpoint"] + ".sock"
    assert [entry["contract"] for entry in rows if entry["newest"]] == [
        "disk/v1", "filesystem/v2alpha1", "iscsi/v1alpha2", "smb/v1", "system/v1alpha1", "volume/v2alpha1",
        "csi-proxy/v1beta1",
    ]  # fmt: skip


def test_a_deprecated_version_says_until_when_it_is_kept() -> None:
    assert lifetime_columns(row(None)) == ("-", "-")
    known = EarliestRemoval(date(2027, 11, 24), 0, "0.5.0")
    assert lifetime_columns(row(known, "0.2.0")) == ("0.2.0", "2027-11-24")
    open_end = EarliestRemoval(date(2027, 11, 24), 2, "")
    assert lifetime_columns(row(open_end, "0.2.0")) == ("0.2.0", "2027-11-24 and 2 more releases")
