"""The demo as a user runs it: everything it shows is there and right, and nothing is left."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from csiproxy.api import versions

COMMAND = [sys.executable, "-m", "csiproxy", "demo", "--plain"]

GROUP_RPCS = {
    "disk/v1": {
        "Rescan", "ListDiskIDs", "ListDiskLocations", "PartitionDisk", "GetDiskStats", "SetDiskState",
        "GetDiskState",
    },
    "filesystem/v2alpha1": {"PathExists", "Mkdir", "Rmdir", "CreateSymlink", "IsSymlink"},
    "volume/v2alpha1": {
        "ListVolumesOnDisk", "IsVolumeFormatted", "FormatVolume", "MountVolume", "UnmountVolume",
        "ResizeVolume", "GetVolumeStats", "GetVolumeIDFromTargetPath", "GetDiskNumberFromVolumeID",
    },
}  # fmt: skip
SERVICE_RPCS = {
    "csi-proxy/v1beta1": {
        "Rescan", "ListDiskIDs", "ListDiskLocations", "ListDiskVolumeMappings", "PartitionDisk",
        "FormatVolume", "MountVolume", "Mkdir", "LinkPath", "PathExists", "ResizeVolume", "UnlinkPath",
        "DismountVolume", "Rmdir",
    },
    "csi-proxy/v1alpha1": {"PathExists", "FormatVolume"},
}  # fmt: skip


@pytest.fixture(scope="module")
def shown() -> str:
    """What the whole demo shows; it ends well."""
    done = subprocess.run(COMMAND, capture_output=True, check=False, text=True, timeout=120)
    assert done.stderr == ""
    assert done.returncode == 0, done.stdout
    return done.stdout


def steps(shown: str) -> list[str]:
    return re.findall(r"^(?:OK    |FAILED)  (.+?): ", shown, re.MULTILINE)


def life(shown: str, number: int) -> str:
    return shown.split("=== A pod's storage life ")[number]


def test_no_step_fails(shown: str) -> None:
    assert "FAILED" not in shown
    (calls, others) = map(int, re.findall(r"^(\d+) RPCs and (\d+) other steps", shown, re.MULTILINE)[0])
    assert calls + others == len(steps(shown))


@pytest.mark.parametrize(("number", "expected"), [(1, GROUP_RPCS), (2, SERVICE_RPCS)])
def test_every_rpc_of_the_script_is_called_and_succeeds(
    number: int, expected: dict[str, set[str]], shown: str
) -> None:
    found: dict[str, set[str]] = {}
    for name in steps(life(shown, number)):
        contract, _, rpc = name.partition(" ")
        if contract in {known.name for known in versions.CONTRACTS}:
            found.setdefault(contract, set()).add(rpc)
    assert found == expected


@pytest.mark.parametrize("number", [1, 2])
def test_the_workload_survives_the_proxy_and_its_files_the_move(number: int, shown: str) -> None:
    text = life(shown, number)
    order = ["kill -9", "call the dead proxy", "workload goes on", "serve again", "workload goes on"]
    names = [name for name in steps(text) if name in order]
    assert names == order
    (written,) = re.findall(r"^OK      workload ends: (\d+) records of .* sha256 (\w+)", text, re.MULTILINE)
    (read,) = re.findall(
        r"^OK      another workload reads: all (\d+) records, sha256 (\w+)", text, re.MULTILINE
    )
    assert read == written


@pytest.mark.parametrize("number", [1, 2])
def test_it_ends_with_a_tree_from_disk_to_link(number: int, shown: str) -> None:
    tree = life(shown, number).partition("What is where on the second node")[2].partition("└── disk 1")[2]
    depths = [
        re.search(pattern, tree, re.MULTILINE).end()  # type: ignore[union-attr]
        for pattern in (
            r"  512 MiB  GPT  online", r"partition 2  495 MiB", r"Volume\{.*NTFS",
            r"mounted at C:\\var.*pvc-demo$", r"symbolic link C:\\var.*\\pods\\.*pvc-demo$",
        )
    ]  # fmt: skip
    assert depths == sorted(depths)


def test_nothing_is_left_of_it(shown: str) -> None:
    for pid in re.findall(r"process (\d+)", shown):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    (directory,) = re.findall(r"remove the files: (\S+) is gone", shown)
    assert not Path(directory).exists()


def test_a_demo_that_is_told_to_end_leaves_nothing_either() -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        pids = []
        for line in demo.stdout:
            pids += map(int, re.findall(r"process (\d+)", line))
            if line.startswith("OK      workload starts"):
                demo.send_signal(signal.SIGTERM)
                break
        demo.stdout.read()
        assert demo.wait(60) == 128 + signal.SIGTERM
    assert len(pids) == 3
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
