"""Proxy and node as processes: one dies at a step of the node, or a reply is lost; the client calls again."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from tests.crash import scenarios
from tests.crash.calls import Outcome, Request, perform
from tests.crash.mortal import Life, Mortal
from tests.crash.picture import Picture, named, picture, table_faults, volume_places
from tests.crash.scenarios import Scenario, seeded_node
from tests.running import Running, until
from tests.thoroughness import THOROUGH

from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.win32 import EmulatedWin32
from csiproxy.rpc.client_protocol import ClientConnection
from csiproxy.rpc.limits import Limits

CHOICE = (
    scenarios.partition_a_disk_under_san_policy,
    scenarios.rmdir_by_force_of_a_full_directory,
    scenarios.resize_to_a_size_on_a_grown_disk,
    scenarios.service_links_in_place_of_an_empty_directory,
    scenarios.service_unlinks,
    scenarios.service_dismounts_everywhere_but_outside,
    scenarios.first_service_formats_and_mounts,
)
CHANGES = ("set_link", "remove_link", "set_mount_point", "delete_mount_point")


class Expected:
    """What the call gives, what it gives when it is made once more, what the node is then, and its steps."""

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        node = seeded_node(directory)
        request = scenario(node)
        life = Life()
        recorded = {
            "cim": Mortal(node.machine.session, life),
            "win32": EmulatedWin32(Mortal(node.machine.links, life)),
        }
        self.first = self._named(node, perform(node.operations(**recorded), request))
        # Where drives are is no step: the node says it when it greets.
        self.steps = [step for step in life.steps if step != "places"]
        self.picture: Picture = picture(node.host, node.machine.inventory(), node.machine.directory)
        self.again = self._named(node, perform(node.operations(), request))
        node.close()
        shutil.rmtree(directory)

    @staticmethod
    def _named(node, outcome: Outcome) -> Outcome:
        return as_the_wire_has_it(outcome, volume_places(node.host))

    @property
    def places(self) -> list[int]:
        """The steps to disturb, from 1: those that change something, or with thoroughness all."""
        return [
            number
            for number, step in enumerate(self.steps, 1)
            if THOROUGH or step in CHANGES or (step.startswith("invoke ") and step != "invoke Refresh")
        ]


def as_the_wire_has_it(outcome: Outcome, names: dict[str, str]) -> Outcome:
    """Only whether it failed, as errors have other names on the wire."""
    return Outcome(named(outcome.reply, names), bool(outcome.failure) * "failed")


@contextmanager
def running(scenario: Scenario, directory: Path) -> Iterator[tuple[Running, Request]]:
    """A scenario's starting state with a node and a proxy, both processes."""
    node = seeded_node(directory)
    request = scenario(node)
    node.close()
    processes = Running(directory, [request.contract])
    try:
        yield processes, request
    finally:
        processes.close()
        shutil.rmtree(directory)


def check(processes: Running, request: Request, expected: Expected) -> None:
    """The client calls again, and everything is as if nothing had happened."""
    outcome = processes.proxy.call(request)
    assert as_the_wire_has_it(outcome, volume_places(processes.host)) in (expected.first, expected.again)
    inventory = processes.control.list()
    assert picture(processes.host, inventory, processes.node.path) == expected.picture
    assert [table_faults(report.image) for report in inventory] == [""] * len(inventory)


@pytest.fixture(params=CHOICE, ids=lambda scenario: scenario.__name__)
def scenario(request) -> Scenario:
    return request.param


LOST = Outcome(failure="UNAVAILABLE")


def test_a_proxy_that_dies_at_a_step_is_succeeded_by_one_that_finishes_the_job(scenario, directory) -> None:
    expected = Expected(scenario, directory / "expected")
    for place in expected.places:
        for when in When if THOROUGH else (When.AFTER,):
            with running(scenario, directory / f"{place}-{when.value}") as (processes, request):
                processes.control.order(Fault("*", Action.KILL_CALLER, nth=place, when=when))
                assert processes.proxy.call(request) == LOST
                assert processes.proxy.has_died() == -signal.SIGKILL
                processes.restart_proxy()
                check(processes, request, expected)


@pytest.mark.parametrize("when", When)
def test_a_node_that_dies_at_a_step_goes_on_after_its_start_with_the_same_proxy(
    scenario, when, directory
) -> None:
    expected = Expected(scenario, directory / "expected")
    for place in expected.places:
        with running(scenario, directory / str(place)) as (processes, request):
            processes.control.order(Fault("*", Action.KILL_NODE, nth=place, when=when))
            assert processes.proxy.call(request) == LOST
            processes.restart_node()
            check(processes, request, expected)


def test_a_reply_of_the_node_that_is_lost_after_success_is_no_harm(scenario, directory) -> None:
    expected = Expected(scenario, directory / "expected")
    for place in expected.places:
        with running(scenario, directory / str(place)) as (processes, request):
            processes.control.order(Fault("*", Action.LOSE, nth=place))
            assert processes.proxy.call(request) == LOST
            check(processes, request, expected)


def test_a_client_that_hangs_up_meanwhile_finds_the_job_done(scenario, directory) -> None:
    expected = Expected(scenario, directory / "expected")
    with running(scenario, directory / "cut") as (processes, request):
        processes.control.order(Fault("*", Action.HANG, nth=expected.places[-1]))
        with hanging_up(processes, request):
            until(lambda: not processes.control.faults())
        processes.control.clear_faults()
        record = processes.proxy.record()
        assert (record["rpc"], record["outcome"]) == (request.path, "OK"), record
        assert picture(processes.host, processes.control.list(), processes.node.path) == expected.picture
        check(processes, request, expected)


@contextmanager
def hanging_up(processes: Running, request: Request) -> Iterator[None]:
    """A call that is under way inside, and whose client hangs up at the end."""
    stream = processes.proxy.stream(request)
    protocol = ClientConnection(Limits(), monotonic(), "localhost")
    protocol.request(request.path, request.message, None)
    assert stream.send(protocol.take())
    try:
        yield
    finally:
        stream.close()
