import os

import pytest

from csiproxy.testing.node_sim.supervision import Supervised
from csiproxy.testing.processes import ProcessFailed


@pytest.fixture
def machine(short_directory):
    made = Supervised(
        "machine", ("emulator", "run", "--state", str(short_directory / "n")), str(short_directory / "log")
    )
    yield made
    made.close()


def test_what_is_killed_runs_again_until_it_is_closed(machine):
    first = machine.pid
    machine.kill()
    second = machine.pid
    assert second not in (0, first)
    assert machine.starts == 2
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    machine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_one_that_cannot_start_at_all_says_so(tmp_path):
    with pytest.raises(ProcessFailed):
        Supervised("proxy", ("serve", "--host", "nowhere"), str(tmp_path / "log"))
