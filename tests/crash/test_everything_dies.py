"""A node and its proxy that are killed together between any two calls of the system go on where they were."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.crash import scenarios
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.emulator.image_store.images import left_behind
from tests.thoroughness import THOROUGH

ROOT = Path(__file__).parents[2]

# One of each way in which something is changed; all others change things in the same steps.
CHOICE = (
    scenarios.mkdir_with_parents,
    scenarios.rmdir_by_force_of_a_full_directory,
    scenarios.rmdir_contents,
    scenarios.create_symlink,
    scenarios.partition_a_disk_under_san_policy,
    scenarios.partition_a_disk_whose_partition_is_offline,
    scenarios.partition_a_copy_of_another_disk,
    scenarios.set_disk_state_online_under_san_policy,
    scenarios.set_disk_state_offline,
    scenarios.unmount_a_vanished_volume,
    scenarios.resize_to_a_size_on_a_grown_disk,
    scenarios.service_partitions_as_mbr_under_san_policy,
    scenarios.service_links_in_place_of_an_empty_directory,
    scenarios.service_unlinks,
    scenarios.service_dismounts_everywhere_but_outside,
    scenarios.first_service_formats_and_mounts,
    scenarios.reformatting,
)
TABLES = (
    scenarios.partition_a_disk_under_san_policy,
    scenarios.partition_a_copy_of_another_disk,
    scenarios.resize_to_a_size_on_a_grown_disk,
)


# The same of what touches a volume with a real file system, whose tools and drivers die as well.
IN_IMAGES = (
    scenarios.first_service_formats_and_mounts,
    scenarios.resize_to_a_size_on_a_grown_disk,
    scenarios.set_disk_state_offline,
    scenarios.reformatting,
)


def play(
    scenario: Scenario, directory: Path, *more: str, store: str = "directory"
) -> tuple[Sequence[str], int, Sequence[str]]:
    """Kill one scenario everywhere, in a process that may fork: its steps, how many kills, and the faults."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.forked", scenario.__name__, str(directory / "x"), store, *more],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    return report["steps"], report["kills"], report["faults"]


@pytest.mark.parametrize(
    "scenario",
    [*SCENARIOS, scenarios.reformatting] if THOROUGH else CHOICE,
    ids=lambda scenario: scenario.__name__,
)
def test_after_a_kill_at_any_call_of_the_system_the_repeated_call_ends_as_if_nothing_had_happened(
    scenario: Scenario, directory: Path
) -> None:
    steps, kills, faults = play(scenario, directory)
    assert faults == []
    assert kills == len(steps)
    assert THOROUGH or steps


@pytest.mark.foreign
@pytest.mark.parametrize("scenario", TABLES, ids=lambda scenario: scenario.__name__)
def test_after_such_a_kill_and_a_new_start_other_tools_find_no_fault_in_any_table(
    scenario: Scenario, directory: Path, foreign
) -> None:
    assert play(scenario, directory, foreign("sgdisk"))[2] == []


@pytest.mark.mounts
@pytest.mark.parametrize("scenario", IN_IMAGES, ids=lambda scenario: scenario.__name__)
def test_real_file_systems_come_through_such_a_kill_too(
    scenario: Scenario, directory: Path, mounting
) -> None:
    steps, kills, faults = play(scenario, directory, store="image")
    assert faults == []
    assert kills == len(steps)
    assert left_behind(directory) == []
