"""A program's way through WMI's objects, and what WMI says to what it cannot do."""

import pytest

from csiproxy.emulator.automation import NEW_ENUM, AutomationError, How
from csiproxy.emulator.swbem import Locator
from csiproxy.emulator.swbem_values import Wbem
from csiproxy.errors import HostError, HostUnreachable
from csiproxy.host.cim import STORAGE


def get(target, name, *arguments):
    return target.invoke(target.dispid(name), How.GET, arguments).value


def call(target, name, *arguments):
    return target.invoke(target.dispid(name), How.CALL, arguments).value


def rows(found):
    return list(found.invoke(NEW_ENUM, How.GET, ()).value)


@pytest.fixture
def locator(storage):
    return Locator(storage.session)


@pytest.fixture
def wmi(locator):
    return call(locator, "ConnectServer", ".", r"root\Microsoft\Windows\Storage")


def query(wmi, text):
    return rows(call(wmi, "ExecQuery", text))


# --- connecting


@pytest.mark.parametrize(
    "namespace", [STORAGE, STORAGE.lower(), STORAGE.replace("\\", "/"), "\\" + STORAGE, STORAGE.upper()]
)
def test_a_namespace_is_found_however_it_is_written(locator, namespace):
    assert len(query(call(locator, "ConnectServer", None, namespace), "SELECT * FROM MSFT_Disk")) == 1


def test_levels_are_kept_as_they_are_set(locator, wmi):
    for target in (locator, wmi, query(wmi, "SELECT * FROM MSFT_Disk")[0]):
        security = get(target, "Security_")
        for name in ("ImpersonationLevel", "AuthenticationLevel"):
            security.invoke(security.dispid(name), How.PUT, [4])
            assert get(get(target, "Security_"), name) == 4


# --- queries


@pytest.fixture
def two_disks(storage):
    storage.formatted(storage.attach("gpt.img"))
    storage.formatted(storage.attach("mbr.img"), style=1)
    return storage


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT * FROM MSFT_Disk", [0, 1, 2]),
        ("select number from msft_disk where NUMBER = 1", [1]),
        ("SELECT * FROM MSFT_Disk WHERE Number = '2'", [2]),
        ("SELECT * FROM MSFT_Disk WHERE Number <> 1", [0, 2]),
        ("SELECT * FROM MSFT_Disk WHERE Number = 1 AND Number = 2", []),
        ("SELECT * FROM MSFT_Disk WHERE IsSystem = TRUE", [0]),
        ("SELECT * FROM MSFT_Disk WHERE IsSystem = 'false' AND PartitionStyle = 2", [1]),
        ("SELECT * FROM MSFT_Disk WHERE FriendlyName = 'MSFT VIRTUAL DISK' AND Number != 0", [1, 2]),
        ("SELECT * FROM MSFT_Disk WHERE Guid <> 'x'", [0, 1]),
    ],
)
def test_conditions_choose_rows(two_disks, wmi, text, found):
    assert [get(row, "Number") for row in query(wmi, text)] == found


def test_a_condition_that_null_does_not_equal_leaves_null_out(two_disks, wmi):
    reserved = "{e3c9e316-0b5c-4db8-817d-f92df00215ae}"
    text = f"SELECT ObjectId FROM MSFT_Partition WHERE DiskNumber = %d AND GptType <> '{reserved}'"
    assert [len(query(wmi, text % number)) for number in (1, 2)] == [1, 0]


@pytest.mark.parametrize("letter", ["DriveLetter = 'C'", "DriveLetter = 67"])
def test_a_drive_is_found_by_its_letter(wmi, letter):
    assert len(query(wmi, f"SELECT * FROM MSFT_Volume WHERE {letter}")) == 1


def test_what_is_not_selected_is_not_there_but_the_key_is(wmi):
    [disk] = query(wmi, "SELECT Number FROM MSFT_Disk")
    assert get(disk, "ObjectId").startswith("{1}")
    with pytest.raises(AutomationError) as failure:
        get(disk, "Size")
    assert failure.value.hresult == 0x80020006
    assert call(disk, "Refresh") == 0


def test_a_set_knows_its_rows(two_disks, wmi):
    found = call(wmi, "InstancesOf", "MSFT_Disk")
    assert get(found, "Count") == 3
    second = call(found, "ItemIndex", 1)
    path = get(get(second, "Path_"), "RelPath")
    assert get(call(found, "Item", path.upper()), "Number") == 1


# --- objects by path


def test_an_object_is_found_by_its_path_in_every_form(storage, wmi):
    [disk] = query(wmi, "SELECT * FROM MSFT_Disk")
    path = get(disk, "Path_")
    for text in (get(path, "Path"), get(path, "RelPath"), get(path, "RelPath").replace(".ObjectId", "", 1)):
        assert get(call(wmi, "Get", text), "Number") == 0
    assert (get(path, "Class"), get(path, "IsClass"), get(path, "Namespace")) == ("MSFT_Disk", False, STORAGE)


def test_methods_and_associations_go_by_path(storage, wmi):
    storage.formatted(storage.attach())
    [disk] = query(wmi, "SELECT * FROM MSFT_Disk WHERE Number = 1")
    path = get(get(disk, "Path_"), "RelPath")
    assert get(call(wmi, "ExecMethod", path, "Refresh"), "ReturnValue") == 0
    asked = [
        call(wmi, "AssociatorsOf", path, "MSFT_DiskToPartition", "MSFT_Partition"),
        call(disk, "Associators_", "MSFT_DiskToPartition", "MSFT_Partition", "Partition", "Disk"),
        call(
            wmi,
            "ExecQuery",
            f"ASSOCIATORS OF {{{path}}} WHERE AssocClass = MSFT_DiskToPartition ResultClass = MSFT_Partition",
        ),
    ]
    assert [[get(row, "PartitionNumber") for row in rows(found)] for found in asked] == [[1, 2]] * 3
    same_end = call(disk, "Associators_", "MSFT_DiskToPartition", "MSFT_Partition", "Disk", "Disk")
    assert rows(same_end) == []


def test_a_static_method_is_the_class_own(wmi):
    setting = call(wmi, "Get", "MSFT_StorageSetting")
    assert get(get(setting, "Path_"), "IsClass")
    assert call(setting, "UpdateHostStorageCache") == 0
    assert get(call(wmi, "ExecMethod", "MSFT_StorageSetting", "UpdateHostStorageCache"), "ReturnValue") == 0


# --- what is refused

REFUSED = {
    "another computer": (lambda loc, _: call(loc, "ConnectServer", "host9"), Wbem.SERVER_UNAVAILABLE),
    "another user": (
        lambda loc, _: call(loc, "ConnectServer", ".", STORAGE, "u", "p"),
        Wbem.LOCAL_CREDENTIALS,
    ),
    "another namespace": (lambda loc, _: call(loc, "ConnectServer", ".", r"root\x"), Wbem.INVALID_NAMESPACE),
    "a number for a name": (lambda loc, _: call(loc, "ConnectServer", 1), Wbem.TYPE_MISMATCH),
    "no query": (lambda _, wmi: query(wmi, "SELECT"), Wbem.INVALID_QUERY),
    "another language": (lambda _, wmi: call(wmi, "ExecQuery", "x", "CQL"), Wbem.INVALID_QUERY_TYPE),
    "no such class": (lambda _, wmi: query(wmi, "SELECT * FROM MSFT_X"), Wbem.INVALID_CLASS),
    "a class of another namespace": (
        lambda _, wmi: query(wmi, "SELECT * FROM Win32_Service"),
        Wbem.INVALID_CLASS,
    ),
    "no such property": (lambda _, wmi: query(wmi, "SELECT X FROM MSFT_Disk"), Wbem.INVALID_QUERY),
    "no such condition": (lambda _, wmi: query(wmi, "SELECT * FROM MSFT_Disk WHERE X=1"), Wbem.INVALID_QUERY),
    "text for a number": (
        lambda _, wmi: query(wmi, "SELECT * FROM MSFT_Disk WHERE Number='x'"),
        Wbem.INVALID_QUERY,
    ),
    "number for a text": (
        lambda _, wmi: query(wmi, "SELECT * FROM MSFT_Disk WHERE Path=1"),
        Wbem.INVALID_QUERY,
    ),
    "an array": (
        lambda _, wmi: query(wmi, "SELECT * FROM MSFT_Disk WHERE OperationalStatus=1"),
        Wbem.INVALID_QUERY,
    ),
    "no path": (lambda _, wmi: call(wmi, "Get", "MSFT_Disk."), Wbem.INVALID_OBJECT_PATH),
    "no key": (lambda _, wmi: call(wmi, "Get", "MSFT_Disk.Number='1'"), Wbem.INVALID_OBJECT_PATH),
    "nothing at a path": (lambda _, wmi: call(wmi, "Get", "MSFT_Disk.ObjectId='x'"), Wbem.NOT_FOUND),
    "a path elsewhere": (lambda _, wmi: call(wmi, "Get", r"\\.\root\x:MSFT_Disk"), Wbem.INVALID_NAMESPACE),
    "a method nobody has": (
        lambda _, wmi: call(wmi, "ExecMethod", "MSFT_Disk", "Explode"),
        Wbem.METHOD_NOT_IMPLEMENTED,
    ),
    "an association of a class": (
        lambda _, wmi: call(wmi, "AssociatorsOf", "MSFT_Disk", "A", "MSFT_Disk"),
        Wbem.INVALID_OBJECT_PATH,
    ),
    "an unknown association": (
        lambda _, wmi: call(wmi, "AssociatorsOf", "MSFT_Disk='x'", "A", "MSFT_Disk"),
        Wbem.INVALID_CLASS,
    ),
    "an association to nothing named": (
        lambda _, wmi: call(wmi, "AssociatorsOf", "MSFT_Disk='x'", "MSFT_DiskToPartition"),
        Wbem.NOT_SUPPORTED,
    ),
    "beyond a set": (
        lambda _, wmi: call(call(wmi, "InstancesOf", "MSFT_Disk"), "ItemIndex", 9),
        Wbem.NOT_FOUND,
    ),
    "not in a set": (lambda _, wmi: call(call(wmi, "InstancesOf", "MSFT_Disk"), "Item", "x"), Wbem.NOT_FOUND),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_wmi_would_refuse_is_refused_with_its_code(locator, wmi, case):
    ask, hresult = REFUSED[case]
    with pytest.raises(AutomationError) as failure:
        ask(locator, wmi)
    assert failure.value.hresult == hresult
    assert failure.value.text


class Lost:
    """A node that has gone, or that is at its end."""

    def __init__(self, error):
        self._error = error

    def instances(self, class_name, /, **where):
        raise self._error

    def associated(self, instance, association, result_class, result_role=""):
        raise self._error

    def invoke(self, target, method, /, **parameters):
        raise self._error


@pytest.mark.parametrize(
    ("error", "of_query", "of_method"),
    [
        (HostUnreachable("gone"), Wbem.SERVER_UNAVAILABLE, Wbem.CALL_FAILED),
        (HostError("full"), Wbem.FAILED, Wbem.FAILED),
    ],
)
def test_a_node_that_has_gone_is_a_server_that_has_gone(error, of_query, of_method):
    wmi = call(Locator(Lost(error)), "ConnectServer", ".", STORAGE)
    for hresult, ask in (
        (of_query, lambda: query(wmi, "SELECT * FROM MSFT_Disk")),
        (of_query, lambda: call(wmi, "AssociatorsOf", "MSFT_Disk='x'", "A", "MSFT_Disk")),
        (of_method, lambda: call(wmi, "ExecMethod", "MSFT_StorageSetting", "UpdateHostStorageCache")),
    ):
        with pytest.raises(AutomationError) as failure:
            ask()
        assert failure.value.hresult == hresult
