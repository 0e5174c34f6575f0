"""The node has the iSCSI classes; ``test_schema.py`` holds them against Windows' own."""

from csiproxy.emulator.machine import Machine
from csiproxy.host import iscsi_schema


def test_the_node_answers_for_every_class(tmp_path):
    with Machine(str(tmp_path / "node")) as machine:
        steps = machine.faults.steps
    for found in iscsi_schema.ISCSI_CLASSES:
        assert found.name in steps
        assert {f"{found.name}.{method}" for method in found.methods} <= set(steps)


def test_secrets_are_parameters_and_never_properties():
    for found in iscsi_schema.ISCSI_CLASSES:
        assert not [name for name in found.properties if "secret" in name.lower()]
