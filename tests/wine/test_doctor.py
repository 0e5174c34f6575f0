"""``csi-proxy doctor`` as a Windows program: it finds what is known of Wine, and leaves nothing behind."""

import json

import pytest
from tools.wine.prefix import Prefix

from csiproxy.doctor.assumptions import ASSUMPTIONS

pytestmark = pytest.mark.wine

# What research on Wine and its own source say that it does otherwise.
DIFFERS = {
    "drive-letter",  # it has no storage classes
    "link",  # no reparse points
    "link-of-directory",
    "walk",
    "removal",  # an open directory says where it was
    "moved-directory",
    "held-directory",  # nothing holds the directories above
    "first-instance",
    "pipe-access",
    "anonymous-client",
    "event-texts",  # no EventCreate.exe
    "folder-guard",  # all folders belong to one account
}


def test_every_self_test_ends_and_finds_what_is_known_of_wine(wine: Prefix) -> None:
    before = sorted(path.name for path in wine.drive_c.iterdir())
    ended = wine.run_python(["-m", "csiproxy", "doctor", "--self-test", "-o", "json"])
    assert ended.returncode == 1, ended.stderr
    found = {one["name"]: one for one in json.loads(ended.stdout)}
    assert list(found) == [one.name for one in ASSUMPTIONS]
    assert {name for name, one in found.items() if one["result"] == "differs"} == DIFFERS
    assert {"short-name", "pipe-owner", "last-words", "thread-end"} <= {
        name for name, one in found.items() if one["result"] == "ok"
    }
    assert sorted({path.name for path in wine.drive_c.iterdir()} - {"ProgramData"}) == [
        name for name in before if name != "ProgramData"
    ]


def test_the_node_is_looked_at_and_what_is_not_well_has_a_next_step(wine: Prefix) -> None:
    ended = wine.run_python(["-m", "csiproxy", "doctor", "-o", "json"])
    assert ended.returncode == 1, ended.stderr
    found = {one["name"]: one for one in json.loads(ended.stdout)}
    assert found["account"]["state"] == "ok"
    assert found[r"WMI Root\CIMV2"]["state"] == "ok"
    failed = [one for one in found.values() if one["state"] == "failed"]
    assert "links" in {one["name"] for one in failed}
    assert all(one["next_step"] for one in failed)
