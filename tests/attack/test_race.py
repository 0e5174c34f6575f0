"""The race in small: nothing outside the prefix is touched; and what would be touched, would be seen."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.attack import canaries
from tests.attack.client import OK
from tests.attack.ground import ONLY_OUTSIDE, prepare
from tests.attack.openings import Openings
from tests.attack.race import Plan, Report, Watcher, run, tell
from tests.attack.shots import NOT_FIRED, SHOTS, betrayed

from csiproxy.api import versions
from csiproxy.api.method import Method

TRIES = 2000
GROUPS = ("filesystem", "volume", "smb", "csi-proxy")


@pytest.fixture
def directory() -> Iterator[str]:
    """An empty directory whose path leaves room for the name of a socket (pytest's own are too long)."""
    path = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    yield path
    shutil.rmtree(path)


def test_a_proxy_among_attackers_touches_nothing_outside_the_prefix(directory: str) -> None:
    report = run(directory, Plan(TRIES, seed=20))
    tell(report)
    assert report.escapes == []
    assert report.tries == TRIES
    # It was a race: calls got through, others met links, and attackers swapped all the while.
    outcomes = {outcome for _, outcome in report.outcomes}
    assert {OK, "PERMISSION_DENIED 4395", "error_code 4395"} <= outcomes
    assert (
        report.outcomes.total() > sum(n for (_, outcome), n in report.outcomes.items() if outcome == OK) > 200
    )
    assert {rpc for rpc, _ in report.outcomes} == {" ".join(shot) for shot in SHOTS}
    assert {"link planted", "link passing", "link flickered", "known link", "volume mounted", "file put",
            "moved out", "moved back"} <= report.swaps.keys()  # fmt: skip
    assert report.noted > 0


def _newest_and_oldest() -> set[str]:
    known = [contract for contract in versions.CONTRACTS if contract.group in GROUPS]
    by_group = [[contract.name for contract in known if contract.group == group] for group in GROUPS]
    return {name for names in by_group for name in (names[0], names[-1])}


def _takes_a_path(method: Method) -> bool:
    fields = {field.name for field in method.request.DESCRIPTOR.fields} - {"remote_path"}
    return any(field == "mount" or field.endswith("path") for field in fields)


def test_every_rpc_that_takes_a_path_is_fired_in_its_newest_and_oldest_version() -> None:
    taking = {
        (name, method.rpc)
        for name in _newest_and_oldest()
        for method in versions.contract(name).methods().values()
        if _takes_a_path(method)
    }
    assert taking == {shot for shot in SHOTS.keys() | NOT_FIRED.keys() if shot in taking}
    assert not SHOTS.keys() & NOT_FIRED.keys()


ESCAPES = {
    "create": lambda outside: os.mkdir(os.path.join(outside, "x", "new")),
    "create and take back": lambda outside: _make_and_remove(os.path.join(outside, "x", "new")),
    "remove": lambda outside: os.unlink(os.path.join(outside, "x", ONLY_OUTSIDE)),
    "link": lambda outside: os.symlink("a0", os.path.join(outside, "x", "link")),
    "write": lambda outside: Path(outside, "x", ONLY_OUTSIDE).write_text("other"),
    "list": lambda outside: os.listdir(os.path.join(outside, "x", "a1")),
    "open": lambda outside: os.close(os.open(os.path.join(outside, "x", "a1"), os.O_RDONLY)),
}


def _make_and_remove(path: str) -> None:
    os.mkdir(path)
    os.rmdir(path)


@pytest.mark.parametrize("what", ESCAPES)
def test_what_happens_outside_is_seen(directory: str, what: str) -> None:
    ground = prepare(directory)
    report = Report()
    watcher = Watcher(ground, report)
    watcher.suspects = frozenset((os.getpid(),))
    watcher.start()
    if what in ("list", "open") and not report.kernel:
        pytest.skip("only Linux tells who opens a directory")
    ESCAPES[what](ground.beyond)
    watcher.end()
    assert report.escapes != []


def test_where_nothing_happens_nothing_is_seen(directory: str) -> None:
    report = Report()
    watcher = Watcher(prepare(directory), report)
    watcher.start()
    watcher.end()
    assert report.escapes == []
    assert report.looks > 0


@pytest.mark.parametrize("place", [0, 1, 2, 3, 4])
def test_every_kept_directory_is_looked_at(directory: str, place: int) -> None:
    ground = prepare(directory)
    before = canaries.all_below(ground.kept)
    assert len(ground.kept) == 7
    os.mkdir(os.path.join(ground.kept[place], "new"))
    assert len(canaries.changed(before)) == 1


def test_the_kernel_tells_what_was_done(tmp_path: Path) -> None:
    openings = Openings([str(tmp_path)])
    if not openings.sees:
        pytest.skip("only Linux tells who opens a directory")
    own = frozenset((os.getpid(),))
    assert openings.seen(own) == []
    os.listdir(tmp_path)
    (tmp_path / "file").write_text("x")
    told = openings.seen(own)
    assert any(": opened" in line for line in told)
    assert f"{tmp_path}/file: created" in told
    assert openings.seen(own) == []
    openings.close()


def test_a_stranger_who_reads_outside_neither_fails_the_race_nor_hides_an_escape(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    openings = Openings([str(tmp_path), str(tmp_path / "below")])
    if not openings.names_processes:
        openings.close()
        pytest.skip("only Linux names who opens a directory, and only to root")
    for _ in range(20):
        stranger = subprocess.run(["find", tmp_path], check=True, capture_output=True)
    own = frozenset((os.getpid(),))
    assert stranger.stdout
    assert openings.seen(own) == []
    assert openings.strangers.total() >= 40
    subprocess.run(["find", tmp_path], check=True, capture_output=True)
    os.listdir(tmp_path / "below")
    told = openings.seen(own)
    openings.close()
    assert told
    assert all(line.startswith(f"{tmp_path}/below: ") for line in told)


def test_an_answer_that_knows_the_outside_betrays_it(directory: str) -> None:
    ground = prepare(directory)
    asked = {"path": rf"C:\var\lib\kubelet\x\{ONLY_OUTSIDE}"}
    assert betrayed(ground, asked, {"exists": True}, "")
    assert not betrayed(ground, asked, {"exists": False}, f"there is no {ONLY_OUTSIDE}")
    assert betrayed(ground, {"target_path": r"C:\x"}, {"volume_id": ground.secret}, "")
    assert betrayed(ground, {"path": r"C:\x"}, {}, f"{ONLY_OUTSIDE} is in the way")
    assert not betrayed(ground, {"path": r"C:\x"}, {"exists": True}, "")
