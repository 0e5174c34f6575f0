"""The wheel is the same to the byte wherever and whenever it is built, and holds the program alone."""

import os
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from tools import wheel

ROOT = Path(__file__).parents[2]
if not (ROOT / ".git").exists():
    pytest.skip("the source is not in version control", allow_module_level=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two wheels of the same source: files of other times and rights, in other directories."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("a-second-place")
    one = wheel.build(ROOT, first, "1769860800")
    umask = os.umask(0o077)
    try:
        other = wheel.build(ROOT, second, "1769860800")
    finally:
        os.umask(umask)
    return [one, other]


def test_two_builds_are_the_same_to_the_byte(built: list[Path]) -> None:
    assert built[0].read_bytes() == built[1].read_bytes()


def test_files_have_the_time_that_was_asked_for_and_none_is_a_tests(built: list[Path]) -> None:
    with zipfile.ZipFile(built[0]) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {time.gmtime(1769860800)[:6]}
    assert {entry.filename.split("/")[0].split("-")[0] for entry in entries} == {"csiproxy", "csi_proxy"}
    assert "csiproxy/api/disk/v1_pb2.py" in {entry.filename for entry in entries}


def test_the_time_is_the_last_commits_or_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "7")
    assert wheel.commit_time(ROOT) == "7"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    environment = {**os.environ, "GIT_COMMITTER_DATE": "1769860800 +0000"}
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True, env=environment)
    assert wheel.commit_time(tmp_path) == "1769860800"
