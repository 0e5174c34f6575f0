"""The suite in small: the proxy withstands every attack; and an attack that succeeds would be told."""

import json
from collections.abc import Iterator

import pytest
from tests.attack import injection, payloads
from tests.attack.__main__ import ATTACKS
from tests.attack.injection import unprintable
from tests.attack.string_fields import Place, places
from tests.attack.suite import Attack, Result, attack_foreign, attack_own, table
from tests.attack.target import Own, Target, own

from csiproxy.api import versions
from csiproxy.errors import Code

TRIES = 300


@pytest.fixture(scope="module")
def shared() -> Iterator[Own]:
    """A proxy that goes on from one attack to the next."""
    with own() as made:
        yield made


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_the_proxy_withstands(attack: Attack, request: pytest.FixtureRequest) -> None:
    if attack.spoils:
        with own() as made:
            result = attack_own(attack, made, TRIES, seed=20)
    else:
        result = attack_own(attack, request.getfixturevalue("shared"), TRIES, seed=20)
    print(table([(attack, result)]))
    assert result.problems == []
    if not result.skipped:
        assert result.tries > 0


def test_every_string_of_every_version_is_a_place() -> None:
    found = places(list(versions.CONTRACTS))
    named = {(place.contract.name, place.method.rpc, place.names[-1]) for place in found}
    assert ("smb/v1alpha1", "NewSmbGlobalMapping", "password") in named
    assert ("iscsi/v1alpha1", "ConnectTarget", "target_address") in named
    assert ("disk/v1beta2", "SetAttachState", "diskID") in named
    assert ("csi-proxy/v1beta1", "MountISCSILun", "initiator_chap_secret") in named
    assert {place.contract.name for place in found} >= {c.name for c in versions.CONTRACTS} - {
        "disk/v1",
        "disk/v1beta3",
    }


@pytest.mark.parametrize("contract", versions.CONTRACTS, ids=lambda contract: contract.name)
def test_every_payload_fits_into_every_place(contract: versions.Contract) -> None:
    for place in places([contract]):
        for patterns in (*payloads.CVES.values(), payloads.names, payloads.screens):
            for text in patterns("/mark"):
                place.request(text).SerializeToString()


def test_every_cve_leaves_a_mark_where_it_works() -> None:
    for patterns in payloads.CVES.values():
        texts = patterns("/the/mark")
        assert sum("/the/mark" in text for text in texts) >= len(texts) - 1


class _Weak(Target):
    """A proxy that runs what it is told, says so on the screen, and fails of itself."""

    def send(self, contract, method, request):
        answer = super().send(contract, method, request)
        return type(answer)(Code.INTERNAL, "oops \x1b[31m")


def test_a_weak_proxy_does_not_withstand(shared: Own) -> None:
    weak = _Weak(shared.target.endpoints)
    result = injection.fire(weak, payloads.screens, 1, 0)
    weak.close()
    assert any("INTERNAL oops" in problem for problem in result.problems)
    assert any("U+001B" in problem for problem in result.problems)


def test_a_forged_record_and_a_child_are_seen(tmp_path) -> None:
    trail = tmp_path / "audit"
    trail.write_bytes(json.dumps({"rpc": "/x"}).encode() + b'\n{"rpc": forged\n')
    with pytest.raises(ValueError, match="Expecting value"):
        Target("", audit=str(trail)).records()
    assert unprintable("a\u202eb\x1b") == {"U+202E", "U+001B"}
    assert unprintable("plain text") == set()


def test_a_foreign_proxy_is_attacked_as_far_as_it_is_known(shared: Own) -> None:
    foreign = Target(shared.target.endpoints)
    results = {attack.name: attack_foreign(attack, foreign, 1, 20) for attack in ATTACKS[:1] + ATTACKS[-2:]}
    assert [result.verdict for result in results.values()] == ["withstood", "skipped", "skipped"]


def test_the_table_says_what_was_skipped_and_what_failed() -> None:
    rows = [(Attack("one", "none"), Result(3, ["x"])), (Attack("two", "none"), Result(skipped="needs root"))]
    text = table(rows)
    assert "one     3      none   FAILED" in text
    assert "skipped (needs root)" in text


def test_places_show_where_they_are() -> None:
    contract = versions.contract("smb/v1")
    method = contract.methods()["/v1.Smb/NewSmbGlobalMapping"]
    assert str(Place(contract, method, ("username",))) == "smb/v1 NewSmbGlobalMapping username"
