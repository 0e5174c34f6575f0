"""The table for people says what the version table says."""

from datetime import date

from csiproxy.api.contract import Group, Version
from csiproxy.api.lifecycle import EarliestRemoval, Lifecycle, Release
from csiproxy.api.overview import versions_table
from csiproxy.api.versions import CONTRACTS


def test_there_is_a_row_for_every_contract_in_the_order_of_the_table():
    rows = versions_table()
    assert [row.contract for row in rows] == [contract.name for contract in CONTRACTS]
    assert sum(row.is_hub for row in rows) == 7
    for row, contract in zip(rows, CONTRACTS, strict=True):
        assert (row.stage, row.endpoint, row.service) == (
            contract.stage.value,
            contract.endpoint,
            contract.service,
        )
        assert tuple(rpc.name for rpc in row.rpcs) == contract.rpcs
        assert row.pipe.endswith(f"\\{contract.endpoint}")


def test_a_row_tells_which_operation_stands_behind_each_rpc():
    (row,) = (row for row in versions_table() if row.contract == "disk/v1beta1")
    assert [rpc.operation for rpc in row.rpcs][-2:] == ["list_disk_ids", "get_disk_stats"]


def test_a_deprecation_shows_with_what_the_policy_promises():
    releases = (Release("1.0.0", date(2027, 1, 1)), Release("1.1.0", date(2027, 4, 1)))
    group = Group(
        "tape",
        "Tape",
        versions=(
            Version("v1alpha1", (), Lifecycle("1.0.0", "1.1.0")),
            Version(
                "v1beta1",
                ("Wind", "Turn"),
                Lifecycle("1.1.0"),
                members=(
                    ("Wind", Lifecycle("1.0.0")),
                    ("Rewind", Lifecycle("", "1.0.0")),
                    ("TurnRequest.speed", Lifecycle("1.1.0")),
                ),
            ),
            Version("v1", ("Wind", "Turn")),
        ),
    )
    alpha, beta, stable = versions_table([group], releases)
    assert (alpha.lifecycle, alpha.rpcs) == (Lifecycle("1.0.0", "1.1.0"), ())
    assert {rpc.name: rpc.lifecycle for rpc in beta.rpcs} == {
        "Wind": Lifecycle("1.0.0"),
        "Turn": Lifecycle(),
        "Rewind": Lifecycle("", "1.0.0"),
    }
    assert beta.fields == (("TurnRequest.speed", Lifecycle("1.1.0")),)
    assert beta.kept_until == EarliestRemoval(date(2028, 1, 1), 3, "")
    assert (stable.kept_until, stable.is_hub, beta.is_hub) == (None, True, False)
