"""Every step on the host is told of, whatever it gives."""

from pathlib import Path

import pytest

from csiproxy.emulator.machine import Machine
from csiproxy.errors import CimError
from csiproxy.host.cim import Instance
from csiproxy.server.host_steps import MeteredSession


class Unwilling:
    """A session on a host whose CIM server refuses everything."""

    def instances(self, class_name, /, **where):
        raise CimError(0x80041001, f"query of {class_name}")

    def associated(self, instance, association, result_class, result_role=""):
        raise CimError(0x80041001, association)

    def invoke(self, target, method, /, **parameters):
        raise CimError(0x80041001, method)


def test_queries_associations_and_methods_are_told_with_what_they_gave(tmp_path: Path) -> None:
    told: list[tuple[str, str, str]] = []
    with Machine(str(tmp_path)) as machine:
        session = MeteredSession(machine.session, lambda *step: told.append(step[:3]))
        (disk,) = session.instances("MSFT_Disk", Number=0)
        assert disk.number("Number") == 0
        assert session.associated(disk, "MSFT_DiskToPartition", "MSFT_Partition")
        assert session.invoke(disk, "Refresh").return_value in (0, 41000)
    assert [step[:2] for step in told] == [
        ("MSFT_Disk", "query"),
        ("MSFT_DiskToPartition", "associators"),
        ("MSFT_Disk", "Refresh"),
    ]
    assert {step[2] for step in told} <= {"0", "41000"}


def test_a_failure_is_told_by_its_hresult_and_passed_on() -> None:
    told: list[tuple[str, str, str, float]] = []
    session = MeteredSession(Unwilling(), lambda *step: told.append(step))
    disk = Instance("MSFT_Disk", "key", {})
    for step in (
        lambda: session.instances("MSFT_Disk"),
        lambda: session.associated(disk, "MSFT_DiskToPartition", "MSFT_Partition"),
        lambda: session.invoke("MSFT_Disk", "Refresh"),
    ):
        with pytest.raises(CimError):
            step()
    assert [step[2] for step in told] == ["0x80041001"] * 3
    assert all(step[3] >= 0 for step in told)
