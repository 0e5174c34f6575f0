"""One object of WMI: its properties, its methods called by position and by name, its parameters."""

import pytest
from tests.emulator.test_swbem import call, get, query, rows

from csiproxy.emulator.automation import AutomationError, How
from csiproxy.emulator.swbem import Locator
from csiproxy.emulator.swbem_values import Wbem
from csiproxy.host.cim import STORAGE


@pytest.fixture
def wmi(storage):
    return call(Locator(storage.session), "ConnectServer", ".", STORAGE)


@pytest.fixture
def disk(storage, wmi):
    storage.attach()
    return query(wmi, "SELECT * FROM MSFT_Disk WHERE Number = 1")[0]


def put(target, name, value):
    target.invoke(target.dispid(name), How.PUT, [value])


def parameters(target, method, **values):
    found = call(get(call(get(target, "Methods_"), "Item", method), "InParameters"), "SpawnInstance_")
    for name, value in values.items():
        put(found, name, value)
    return found


# --- properties


def test_properties_are_there_by_name_and_as_a_set(disk):
    assert (get(disk, "Number"), get(disk, "size"), get(disk, "OfflineReason")) == (1, str(64 << 20), None)
    found = {get(one, "Name"): one for one in rows(get(disk, "Properties_"))}
    assert get(get(disk, "Properties_"), "Count") == len(found)
    assert get(found["Size"], "Value") == str(64 << 20)
    types = {name: (get(found[name], "CIMType"), get(found[name], "IsArray")) for name in found}
    assert types["Size"] == (21, False)
    assert types["OperationalStatus"] == (18, True)
    assert types["IsOffline"] == (11, False)
    assert (get(found["Size"], "Origin"), get(found["Size"], "IsLocal")) == ("MSFT_Disk", True)


def test_an_unknown_property_is_not_found(disk):
    with pytest.raises(AutomationError) as failure:
        call(get(disk, "Properties_"), "Item", "Nothing")
    assert failure.value.hresult == Wbem.NOT_FOUND


# --- methods by position


def test_a_call_by_position_puts_what_comes_back_behind_its_parameters(storage, disk):
    outcome = disk.invoke(disk.dispid("Initialize"), How.CALL, [2, None])
    assert (outcome.value, dict(outcome.outs)) == (0, {1: None})
    created = disk.invoke(disk.dispid("CreatePartition"), How.CALL, [None, True, *[None] * 10])
    assert (created.value, sorted(created.outs)) == (0, [10, 11])
    partition = created.outs[10]
    assert get(partition, "PartitionNumber") == 2
    sizes = partition.invoke(partition.dispid("GetSupportedSize"), How.CALL, [None, None])
    assert sizes.value == 0
    assert int(sizes.outs[0]) < int(sizes.outs[1])
    assert partition.invoke(partition.dispid("Resize"), How.CALL, [sizes.outs[0]]).value == 0


def test_parameters_that_are_left_out_are_null(storage, disk):
    assert call(disk, "Initialize") in (0, 5)
    assert call(disk, "Refresh") in (0, 41000)


def test_a_failure_says_why_in_its_extended_status(storage, wmi):
    [system] = query(wmi, "SELECT * FROM MSFT_Disk WHERE IsSystem = TRUE")
    outcome = system.invoke(system.dispid("Offline"), How.CALL, [None])
    assert outcome.value == 41009
    assert "system disk" in get(outcome.outs[0], "Message")


@pytest.mark.parametrize("given", [["x"], [70000], [2, None, None]])
def test_a_call_by_position_that_does_not_fit_is_refused(disk, given):
    with pytest.raises(AutomationError):
        disk.invoke(disk.dispid("Initialize"), How.CALL, given)


# --- methods by name


def test_a_call_by_name_takes_an_object_and_gives_one(storage, disk):
    given = parameters(disk, "Initialize", PartitionStyle=1)
    result = call(disk, "ExecMethod_", "initialize", given)
    assert (get(result, "ReturnValue"), get(result, "ExtendedStatus")) == (0, None)
    made = call(
        disk, "ExecMethod_", "CreatePartition", parameters(disk, "CreatePartition", UseMaximumSize=True)
    )
    assert get(get(made, "CreatedPartition"), "MbrType") in (6, 7)
    assert [get(one, "Name") for one in rows(get(made, "Properties_"))] == [
        "CreatedPartition",
        "ExtendedStatus",
        "ReturnValue",
    ]


def test_parameters_are_null_until_set_and_typed(disk):
    given = parameters(disk, "CreatePartition")
    assert {get(one, "Value") for one in rows(get(given, "Properties_"))} == {None}
    size = call(get(given, "Properties_"), "Item", "SIZE")
    put(size, "Value", "0x100000")
    assert get(given, "Size") == str(1 << 20)
    with pytest.raises(AutomationError) as failure:
        put(given, "Size", "much")
    assert failure.value.hresult == Wbem.TYPE_MISMATCH
    copy = call(given, "Clone_")
    put(copy, "Size", None)
    assert (get(given, "Size"), get(copy, "Size")) == (str(1 << 20), None)


def test_methods_are_a_set_and_say_what_they_take(disk):
    methods = get(disk, "Methods_")
    names = [get(one, "Name") for one in rows(methods)]
    assert (get(methods, "Count"), "Initialize" in names) == (len(names), True)
    online = call(methods, "Item", "online")
    assert (get(online, "InParameters"), get(online, "Origin")) == (None, "MSFT_Disk")
    assert get(get(get(online, "OutParameters"), "Properties_"), "Count") == 2
    with pytest.raises(AutomationError) as failure:
        call(methods, "Item", "Explode")
    assert failure.value.hresult == Wbem.NOT_FOUND


@pytest.mark.parametrize("given", [1, "x", object()])
def test_what_is_no_object_of_wmi_is_no_parameters(disk, given):
    with pytest.raises(AutomationError) as failure:
        call(disk, "ExecMethod_", "Online", given)
    assert failure.value.hresult == Wbem.INVALID_METHOD_PARAMETERS


def test_a_class_is_joined_to_nothing(wmi):
    with pytest.raises(AutomationError) as failure:
        call(call(wmi, "Get", "MSFT_Disk"), "Associators_", "MSFT_DiskToPartition", "MSFT_Partition")
    assert failure.value.hresult == Wbem.NOT_SUPPORTED


def test_what_an_object_is_derived_from_is_told_as_nothing(disk):
    assert get(disk, "Derivation_") == ()
    assert get(get(disk, "Path_"), "IsSingleton") is False
    assert get(get(disk, "Path_"), "Server") == "EMULATED"
