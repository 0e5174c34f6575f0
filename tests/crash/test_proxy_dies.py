"""A proxy killed between any two steps of any call leaves nothing that its successor cannot finish."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from tests.crash import scenarios
from tests.crash.calls import Outcome, Request, perform
from tests.crash.mortal import Killed, Life, Mortal, MortalWin32
from tests.crash.picture import Picture, picture, table_faults
from tests.crash.scenarios import SCENARIOS, Scenario, reformatting, seeded_node
from tests.emulated import EmulatedNode

from csiproxy.emulator.links import LinkTable

# Calls that fail, with the Windows code, and calls that cannot be made twice, with what the second one gets.
REFUSED = {
    scenarios.partition_a_disk_that_is_locked_by_hardware: 19,
    scenarios.partition_a_disk_that_an_administrator_made_read_only: 19,
    scenarios.partition_a_disk_that_holds_a_foreign_file_system: 31,
    scenarios.format_a_formatted_volume: 50,
    scenarios.mount_where_another_volume_is_mounted: 145,
    scenarios.resize_beyond_the_disk: 87,
    scenarios.service_formats_what_has_another_file_system: 183,
    scenarios.service_links_where_a_full_directory_is: 183,
    scenarios.first_service_rmdir_of_a_mount_point: 4395,
    scenarios.first_service_formats_but_cannot_mount: 145,
}
ONCE = {
    scenarios.rmdir_of_an_empty_directory: 2,
    scenarios.rmdir_of_a_link: 2,
    scenarios.format_a_raw_volume: 50,
    scenarios.service_mkdir: 183,
    scenarios.service_rmdir: 2,
    scenarios.first_service_rmdir_of_its_link: 2,
    scenarios.first_service_rmdir_of_a_shares_link: 2,
}


class Ground:
    """A fresh node in a scenario's starting state, the same each time."""

    def __init__(self, directory: Path, scenario: Scenario) -> None:
        self.node = seeded_node(directory)
        self.request: Request = scenario(self.node)
        self._options = {"allow_reformat": scenario is reformatting}

    def call(self, life: Life | None = None) -> Outcome:
        """Make the client's call at a proxy that has just been started, and lives as long as it is to."""
        machine = self.node.machine
        if life is None:
            return perform(self.node.operations(**self._options), self.request)
        halves = {"cim": Mortal(machine.session, life), "win32": MortalWin32(machine.win32, life)}
        return perform(self.node.operations(**halves, **self._options), self.request)

    def look(self) -> Picture:
        machine = self.node.machine
        assert [table_faults(report.image) for report in machine.inventory()] == [
            "" for _ in machine.inventory()
        ]
        return picture(self.node.host, machine.inventory(), machine.directory)

    def left_over(self) -> list[str]:
        """What no proxy may leave to the node: held locks, changes of names that were not ended."""
        locks = os.listdir(os.path.join(self.node.machine.directory, "locks"))
        table: LinkTable = self.node.machine.namespace._table
        return [name for name in locks if not name.startswith("mark-")] + [
            change.temporary for change in table.interrupted()
        ]

    def close(self) -> None:
        self.node.close()
        shutil.rmtree(self.node.directory)


def descriptors(node: EmulatedNode) -> int:
    """How many this process has, but for the node's sessions with servers."""
    return len(os.listdir("/dev/fd")) - len(node.machine.smb_mappings._live)


def survive_every_kill(scenario: Scenario, directory: Path, *, refused: int = 0, twice: int = 0) -> None:
    """Kill the proxy at each step of a scenario.

    ``refused`` is the Windows code that the call fails with, ``twice`` the one that it gets when it is made
    again, if it cannot be made twice.
    """
    undisturbed = Ground(directory / "undisturbed", scenario)
    life = Life()
    first = undisturbed.call(life)
    wanted = undisturbed.look()
    again = undisturbed.call()
    assert first.windows_code == refused
    assert again == first or again.windows_code == twice
    assert undisturbed.look() == wanted
    assert undisturbed.left_over() == []
    undisturbed.close()

    for last in range(len(life.steps) + 1):
        ground = Ground(directory / f"killed-{last}", scenario)
        before = descriptors(ground.node)
        if last < len(life.steps):
            with pytest.raises(Killed):
                ground.call(Life(last))
        else:
            assert ground.call() == first  # the reply was lost on its way
        gc.collect(0)
        assert (descriptors(ground.node), ground.left_over()) == (before, [])
        assert ground.call() in (first, again)
        assert ground.look() == wanted
        assert ground.left_over() == []
        ground.close()


@pytest.mark.parametrize("scenario", [*SCENARIOS, reformatting], ids=lambda scenario: scenario.__name__)
def test_a_call_that_is_made_again_after_a_kill_at_any_step_ends_as_if_nothing_had_happened(
    scenario: Scenario, directory: Path
) -> None:
    survive_every_kill(scenario, directory, refused=REFUSED.get(scenario, 0), twice=ONCE.get(scenario, 0))
