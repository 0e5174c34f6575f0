"""The play as a user runs it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine

COMMAND = [sys.executable, "-m", "csiproxy", "testing", "node-sim", "--plain", "--pace", "0.02"]
EXAMPLE = Path(__file__).parents[3] / "examples" / "07-sql-server.yaml"


@pytest.fixture(scope="module")
def shown() -> str:
    """What a play shows in which components die at random; it ends well."""
    command = [*COMMAND, str(EXAMPLE), "--restarts", "22", "--seed", "5"]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_rpc_of_a_volumes_life_is_made(shown: str) -> None:
    steps = re.findall(r"^OK      (\w+)", shown, re.MULTILINE)
    assert "FAILED" not in shown
    assert [step for step in steps if step.startswith(("Create", "Controller", "Node", "Delete"))] == [
        "CreateVolume", "ControllerPublishVolume", "NodeStageVolume", "NodePublishVolume",
        "ControllerExpandVolume", "NodeExpandVolume", "NodeGetVolumeStats", "NodeUnpublishVolume",
        "NodeUnstageVolume", "ControllerUnpublishVolume", "ControllerPublishVolume", "NodeStageVolume",
        "NodePublishVolume", "NodeUnpublishVolume", "NodeUnstageVolume", "ControllerUnpublishVolume",
        "DeleteVolume",
    ]  # fmt: skip


def test_all_components_die_and_every_byte_is_there(shown: str) -> None:
    assert "22 components have died and come back, in the order of seed 5" in shown
    before, after = map(int, re.findall(r"containers end: (\d+) records, every byte as written", shown))
    (found,) = map(int, re.findall(r"found all (\d+) records of the other node", shown))
    assert before == found < after


def test_it_ends_with_a_picture_and_nothing_else(shown: str) -> None:
    picture = shown.partition("pod default/sql-server on node-2")[2]
    places = [
        picture.index(text)
        for text in ("claim sql-data", "handle vol-", "disk 1", "mounted at C:\\", "published at C:\\")
    ]
    assert places == sorted(places)
    assert "no image, no disk, no staging directory" in shown
    for pid in re.findall(r"process (\d+)", shown):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_play_that_is_told_to_end_leaves_no_process() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as play:
        assert play.stdout is not None
        for line in play.stdout:
            if line.startswith("OK      containers start"):
                (pid,) = map(int, re.findall(r"process (\d+)", line))
                play.send_signal(signal.SIGTERM)
                break
        play.stdout.read()
        assert play.wait(120) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_manifest_that_cannot_be_played_is_refused_by_name(csi_proxy: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("kind: StatefulSet\nmetadata: {name: db}")
    shown = csi_proxy("testing", "node-sim", str(tmp_path / "x.yaml"))
    assert shown.code == 1
    assert "StatefulSet db" in shown.err
