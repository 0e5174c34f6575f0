"""All classes that a node serves give an account of themselves, and no others."""

from csiproxy.emulator.fidelity import providers
from csiproxy.emulator.machine import Machine


def test_the_classes_that_are_found_are_those_that_a_node_serves(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        served = {step for step in machine.faults.steps if "_" in step and step[0].isupper()}
    names = [kind.schema.name for kind in providers()]
    assert set(names) == {step for step in served if "." not in step}
    assert names == sorted(names, key=str.lower)
