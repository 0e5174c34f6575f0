"""Every step on the host is told of, whatever it gives."""

import threading
from pathlib import Path

import pytest

from csiproxy.emulator.machine import Machine
from csiproxy.errors import CimError, HostUnreachable, Win32Error
from csiproxy.host import Host
from csiproxy.host.cim import Instance
from csiproxy.host.win32 import EntryKind
from csiproxy.server.host_steps import MOST_STEPS, Step, StepLog, WatchedSession, watched


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
        session = WatchedSession(machine.session, StepLog(), lambda *step: told.append(step[:3]))
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
    session = WatchedSession(Unwilling(), StepLog(), lambda *step: told.append(step))
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


def test_steps_are_collected_for_the_thread_whose_call_they_are_of(tmp_path: Path) -> None:
    log = StepLog()
    mine: list[Step] = []
    theirs: list[Step] = []
    with Machine(str(tmp_path)) as machine:
        host = watched(Host(machine.session, machine.win32), log)

        def other() -> None:
            log.collect(theirs)
            host.cim.instances("MSFT_Volume")

        log.collect(mine)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        host.cim.instances("MSFT_Disk")
        log.collect(None)
        host.cim.instances("MSFT_Disk")
    assert mine == [Step("MSFT_Disk.query", "0")]
    assert theirs == [Step("MSFT_Volume.query", "0")]


def test_what_changes_files_is_told_with_its_code_and_questions_are_not(tmp_path: Path) -> None:
    log = StepLog()
    steps: list[Step] = []
    with Machine(str(tmp_path)) as machine:
        win32 = watched(Host(machine.session, machine.win32), log).win32
        log.collect(steps)
        with win32.open_root("C:\\") as root:
            win32.entries(root)
            win32.create_directory(root, "made")
            with pytest.raises(Win32Error):
                win32.create_directory(root, "made")
            with pytest.raises(Win32Error):
                win32.set_mount_point(root, "made", "\\\\?\\Volume{0}\\")
            win32.set_link(root, "link", "C:\\made", replace=False)
            win32.remove(root, "link", EntryKind.SYMBOLIC_LINK)
            with pytest.raises(Win32Error):
                win32.delete_mount_point(root, "made", "\\\\?\\Volume{0}\\")
    names = [step.target for step in steps]
    assert names == [
        "create_directory",
        "create_directory",
        "set_mount_point",
        "set_link",
        "remove",
        "delete_mount_point",
    ]
    assert [step.code for step in steps][:2] == ["0", "183"]
    assert steps[3:5] == [Step("set_link", "0"), Step("remove", "0")]


def test_a_host_that_is_not_there_is_told(tmp_path: Path) -> None:
    class Gone(Unwilling):
        def instances(self, class_name, /, **where):
            raise HostUnreachable("nobody is there")

    log = StepLog()
    steps: list[Step] = []
    log.collect(steps)
    with pytest.raises(HostUnreachable):
        WatchedSession(Gone(), log).instances("MSFT_Disk")
    assert steps == [Step("MSFT_Disk.query", "unreachable")]


def test_steps_of_one_call_are_bounded() -> None:
    log = StepLog()
    steps: list[Step] = []
    log.collect(steps)
    for _ in range(MOST_STEPS + 10):
        log.add("x", "0")
    assert len(steps) == MOST_STEPS + 1
    assert steps[-1].target == "…"
