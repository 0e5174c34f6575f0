"""Calls that touch shares survive what all calls survive: proxies, nodes and replies that die midway."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from tests import leaks
from tests.crash import share_scenarios
from tests.crash.share_scenarios import NAMES, Server, scenarios
from tests.crash.test_processes_die import (  # noqa: F401 - they run here with this module's scenario
    test_a_node_that_dies_at_a_step_goes_on_after_its_start_with_the_same_proxy,
    test_a_proxy_that_dies_at_a_step_is_succeeded_by_one_that_finishes_the_job,
    test_a_reply_of_the_node_that_is_lost_after_success_is_no_harm,
)
from tests.crash.test_proxy_dies import survive_every_kill
from tests.samba import HOST, USER
from tests.thoroughness import THOROUGH

pytestmark = pytest.mark.foreign
ROOT = Path(__file__).parents[2]
REFUSED = {"maps_but_cannot_link": 183, "service_mounts_where_something_is": 145}
ONCE = {
    "first_service_rmdir_of_the_last_link_to_a_share": 2,
    "first_service_rmdir_of_a_pods_link_to_a_staged_share": 2,
}
# What begins with no session that ends with the node, each in its own way.
PROCESSES = ("service_mounts_a_stale_share", "service_unmounts_a_stale_link")
EVERYTHING = (
    "rmdir_of_the_last_link_of_a_mapping_that_was_removed",
    "service_mounts_a_share",
    "service_unmounts_the_last_link",
)


@pytest.fixture
def server(samba, directory) -> Server:
    user = samba.user()
    samba.share()
    yield Server(HOST, samba.port, user, samba.passwords[USER])
    leaks.search(directory)


@pytest.mark.parametrize("name", NAMES)
def test_a_call_that_is_made_again_after_a_kill_at_any_step_ends_as_if_nothing_had_happened(
    name: str, directory: Path, server: Server
) -> None:
    survive_every_kill(
        scenarios(server)[name], directory, refused=REFUSED.get(name, 0), twice=ONCE.get(name, 0)
    )


@pytest.mark.parametrize("name", NAMES if THOROUGH else EVERYTHING)
def test_after_a_kill_of_node_and_proxy_at_any_call_of_the_system_the_repeated_call_ends_the_same(
    name: str, directory: Path, server: Server
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.forked_shares", name, str(directory / "x")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])},
        input=json.dumps(asdict(server)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["faults"] == []
    assert report["kills"] == len(report["steps"]) > 0


@pytest.fixture(params=PROCESSES)
def scenario(request, server):
    """For the tests of processes."""
    return share_scenarios.scenarios(server)[request.param]
