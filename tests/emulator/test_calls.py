"""A node takes the calls of its table with arguments of their types, and nothing else."""

import os
from collections.abc import Iterator

import pytest
from tests.emulator.ground import opened
from tests.emulator.plain_volumes import FIRST

from csiproxy.emulator.calls import Arguments, Call, namespace_calls, perform, session_calls
from csiproxy.emulator.control import control_calls
from csiproxy.emulator.faults import Action, Fault
from csiproxy.emulator.faulty import FaultyNamespace, FaultySession
from csiproxy.emulator.machine import Machine
from csiproxy.emulator.wire import WireError
from csiproxy.errors import CimError
from csiproxy.host.cim import Instance
from csiproxy.host.win32 import Entry, EntryKind

INSTANCE = Instance("MSFT_Disk", "key", {})
# Refused calls never get as far as what they are made on.
SESSION = session_calls(FaultySession(None, None))
NAMESPACE = namespace_calls(FaultyNamespace(None, None))


def test_the_table_is_the_port():
    public = {name for name in vars(FaultySession) if not name.startswith("_")}
    assert set(SESSION) == public
    namespace = {name for name in vars(FaultyNamespace) if not name.startswith("_")}
    assert set(NAMESPACE) == namespace - {"places"}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("instances", ()),
        ("instances", (1, {})),
        ("instances", ("MSFT_Disk", [])),
        ("instances", ("MSFT_Disk", {"Number": None})),
        ("associated", ("MSFT_Disk", "A", "B", "")),
        ("associated", (INSTANCE, "A", "B")),
        ("invoke", (INSTANCE, "Online")),
        ("invoke", (1, "Online", {})),
        ("invoke", (INSTANCE, "Online", {"a": EntryKind.FILE})),
    ],
)
def test_a_cim_call_of_other_arguments_is_no_call(call, arguments):
    with pytest.raises(WireError):
        perform(SESSION[call], Arguments(arguments, None))


@pytest.mark.parametrize("call", sorted(set(NAMESPACE) - {"mount_points", "storage_device"}))
def test_a_call_on_a_directory_needs_one(call):
    with pytest.raises(WireError, match="without its directory"):
        perform(NAMESPACE[call], Arguments(("a", "b", True), None))


# The descriptor is never used: the arguments are refused before anything is asked with it.
@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("describe", ()),
        ("describe", ("name",)),
        ("describe", (("name", 1),)),
        ("remove_link", ("name",)),
        ("remove_link", ("name", "file")),
        ("remove_link", (EntryKind.FILE, "name")),
        ("set_link", ("name", r"C:\x")),
        ("set_link", ("name", r"C:\x", 1)),
        ("set_link", ("name", None, True)),
        ("set_mount_point", ("name",)),
        ("set_mount_point", (None, "volume")),
        ("delete_mount_point", ("name", 1)),
        ("mounted", ()),
        ("mounted", (("name",),)),
        ("mount_points", ()),
        ("mount_points", (None,)),
        ("storage_device", (b"path",)),
    ],
)
def test_a_call_on_files_of_other_arguments_is_no_call(call, arguments):
    with pytest.raises(WireError):
        perform(NAMESPACE[call], Arguments(arguments, 0))


def test_a_truth_value_is_no_number():
    with pytest.raises(WireError, match="bool where a int"):
        Arguments((True,), None).take(int)


def test_an_optional_argument_is_there_or_none():
    assert Arguments((None,), None).optional(int) is None
    assert Arguments((3,), None).optional(int) == 3
    with pytest.raises(WireError):
        Arguments(("x",), None).optional(int)


def test_texts_are_texts():
    assert Arguments((("a", "b"),), None).texts() == ("a", "b")
    with pytest.raises(WireError):
        Arguments((("a", 1),), None).texts()


def test_arguments_are_taken_in_their_order_until_there_are_none():
    arguments = Arguments(("a", 1), None)
    assert (arguments.take(str), arguments.take(int)) == ("a", 1)
    for take in (lambda: arguments.take(str), lambda: arguments.optional(str), arguments.texts):
        with pytest.raises(WireError, match="too few"):
            take()


def test_a_call_of_its_arguments_does_what_the_port_does(ground):
    calls = namespace_calls(ground.namespace)
    os.mkdir(ground.host("a"))
    with opened(ground.drive) as directory:

        def call(name, *arguments):
            return perform(calls[name], Arguments(arguments, None if name == "mount_points" else directory))

        call("set_mount_point", "a", FIRST)
        assert call("describe", ("a", "missing")) == [Entry("a", EntryKind.MOUNT_POINT, FIRST)]
        assert call("mounted", "a").directory == ground.volumes.directories[FIRST]
        assert call("mount_points", FIRST) == [r"C:\a"]
        call("delete_mount_point", "a", FIRST)
        call("set_link", "a", r"C:\target", True)
        assert call("describe", ("a",)) == [Entry("a", EntryKind.SYMBOLIC_LINK, r"C:\target")]
        call("remove_link", "a", EntryKind.SYMBOLIC_LINK)
        assert call("describe", ("a",)) == []
        assert call("final_path") == "C:"


# Every call with arguments that it takes, and whether a directory comes with them.
WELL_FORMED = {
    "instances": (("MSFT_Disk", {"Number": 1}), False),
    "associated": ((INSTANCE, "MSFT_DiskToPartition", "MSFT_Partition", ""), False),
    "invoke": ((INSTANCE, "Online", {}), False),
    "describe": ((("name",),), True),
    "remove_link": (("name", EntryKind.FILE), True),
    "set_link": (("name", r"C:\x", True), True),
    "set_mount_point": (("name", FIRST), True),
    "delete_mount_point": (("name", FIRST), True),
    "mounted": (("name",), True),
    "mount_points": ((FIRST,), False),
    "final_path": ((), True),
    "storage_device": (("path",), False),
    "control.attach": (("image", None, {}), False),
    "control.detach": ((1,), False),
    "control.grow": ((1, 1), False),
    "control.list": ((), False),
    "control.reset": ((), False),
    "control.seed": (("seed",), False),
    "control.order": ((Fault("*", Action.HANG),), False),
    "control.fault_steps": ((), False),
    "control.faults": ((), False),
    "control.services": ((), False),
    "control.set_start_mode": (("vds", "Disabled"), False),
    "control.switch_service": (("vds", True), False),
    "control.set_smb_server": (("files", "127.0.0.1", 445), False),
    "control.remove_smb_server": (("files",), False),
    "control.smb_servers": ((), False),
    "control.give_letter": (("D", "volume"), False),
    "control.take_letter": (("D",), False),
    "control.letters": ((), False),
    "control.put_page_files": (((),), False),
    "control.put_dump": ((r"C:\MEMORY.DMP",), False),
    "control.clear_faults": ((), False),
    "control.stop": ((), False),
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Iterator[Machine]:
    with Machine(str(tmp_path_factory.mktemp("node"))) as machine:
        yield machine


def every_call(machine: Machine) -> dict[str, Call]:
    def stop() -> None:
        raise AssertionError("nothing is done")

    calls = (session_calls(machine.session), namespace_calls(machine.links), control_calls(machine, stop))
    return {name: call for table in calls for name, call in table.items()}


def test_the_list_of_calls_is_whole(machine):
    assert set(every_call(machine)) == set(WELL_FORMED)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_call_with_an_argument_or_a_directory_too_many_is_no_call_and_nothing_is_done(machine, name):
    arguments, has_directory = WELL_FORMED[name]
    call = every_call(machine)[name]
    descriptor = 0 if has_directory else None
    before = (machine.inventory(), machine.services.reports(), machine.faults.pending())
    for surplus in (None, "", 1, {}):
        with pytest.raises(WireError, match="too many"):
            perform(call, Arguments((*arguments, surplus), descriptor))
    if not has_directory:
        with pytest.raises(WireError, match="too many"):
            perform(call, Arguments(arguments, 0))
    assert (machine.inventory(), machine.services.reports(), machine.faults.pending()) == before


@pytest.mark.parametrize("name", ["class_name", "self", "target", "method", "func", "where"])
def test_names_of_conditions_and_parameters_are_the_nodes_and_never_pythons(machine, name):
    calls = every_call(machine)
    with pytest.raises(CimError, match=f"no {name} "):
        perform(calls["instances"], Arguments(("MSFT_Disk", {name: 1}), None))
    with pytest.raises(CimError, match=f"no parameter {name}"):
        perform(calls["invoke"], Arguments((INSTANCE, "Online", {name: 1}), None))
