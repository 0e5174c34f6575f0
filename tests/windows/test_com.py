"""The COM session: connections that break, answers that get lost, objects that WMI names in its own way."""

import threading

import pytest
from tests.emulator.test_swbem import Lost
from tests.windows.in_process import InProcess, com_session

from csiproxy.emulator.swbem import Locator
from csiproxy.errors import CimError, HostUnreachable
from csiproxy.host.cim import CIMV2, STORAGE, Instance
from csiproxy.windows.automation import AutomationError
from csiproxy.windows.com import MOST_ATTEMPTS, ComSession
from csiproxy.windows.wql import RelativePath

SERVER_UNAVAILABLE = 0x800706BA
DISCONNECTED = 0x80010108
CALL_FAILED = 0x800706BE
TRANSPORT = 0x80041015
NOTHING_DONE = (SERVER_UNAVAILABLE, DISCONNECTED, 0x800401FD, 0x80041033, 0x80040154)
MAYBE_DONE = (CALL_FAILED, TRANSPORT, 0x80010007)


class Breaking:
    """Connections to an emulated WMI, whose next uses of a member fail as a test says."""

    def __init__(self, session) -> None:
        self._locator = InProcess(Locator(session))
        self.opened: list[tuple[int, str]] = []
        self.failing: list[tuple[str, int]] = []
        self.done: list[str] = []

    def connect(self, namespace: str) -> "Broken":
        self.fail("ConnectServer")
        self.opened.append((threading.get_ident(), namespace))
        return Broken(self, self._locator.call("ConnectServer", ".", namespace))

    def fail(self, name: str) -> None:
        if self.failing and self.failing[0][0] == name:
            raise AutomationError(self.failing.pop(0)[1], "as the test says")


class Broken:
    def __init__(self, breaking: Breaking, target: InProcess) -> None:
        self._breaking = breaking
        self._target = target

    def get(self, name):
        self._breaking.fail(name)
        return self._wrapped(self._target.get(name))

    def put(self, name, value):
        self._target.put(name, value)

    def call(self, name, *arguments):
        self._breaking.fail(name)
        self._breaking.done.append(name)
        given = [one._target if isinstance(one, Broken) else one for one in arguments]
        answer = self._target.call(name, *given)
        self._breaking.fail(f"after {name}")
        return self._wrapped(answer)

    def each(self):
        self._breaking.fail("each")
        yield from map(self._wrapped, self._target.each())

    def _wrapped(self, value):
        return Broken(self._breaking, value) if isinstance(value, InProcess) else value


@pytest.fixture
def breaking(tmp_path):
    from tests.emulator.storage_ground import StorageGround

    ground = StorageGround(tmp_path / "plain")
    ground.attach()
    yield Breaking(ground.session)
    ground.close()


@pytest.fixture
def session(breaking):
    return ComSession(breaking.connect)


def test_a_connection_stays_open_and_each_thread_and_namespace_has_its_own(breaking, session):
    for _ in range(3):
        session.instances("MSFT_Disk")
    with pytest.raises(CimError):
        session.instances("Win32_Service")  # the storage ground has none, which is found out by asking
    thread = threading.Thread(target=lambda: [session.instances("MSFT_Disk") for _ in range(2)])
    thread.start()
    thread.join()
    mine = threading.get_ident()
    assert [namespace for where, namespace in breaking.opened if where == mine] == [STORAGE, CIMV2]
    assert [namespace for where, namespace in breaking.opened if where != mine] == [STORAGE]


def test_a_closed_session_connects_anew(breaking, session):
    session.instances("MSFT_Disk")
    session.close()
    session.instances("MSFT_Disk")
    assert len(breaking.opened) == 2


@pytest.mark.parametrize("hresult", [*NOTHING_DONE, *MAYBE_DONE])
@pytest.mark.parametrize("where", ["ConnectServer", "ExecQuery", "each", "Path_", "Size"])
def test_a_question_is_asked_again_on_a_new_connection(breaking, session, where, hresult):
    if where != "ConnectServer":
        session.instances("MSFT_Disk")
    breaking.failing = [(where, hresult)]
    assert len(session.instances("MSFT_Disk")) == 2
    assert breaking.failing == []
    assert len(breaking.opened) == (1 if where == "ConnectServer" else 2)


@pytest.mark.parametrize("hresult", NOTHING_DONE)
@pytest.mark.parametrize("where", ["ConnectServer", "Get", "SpawnInstance_", "ExecMethod"])
def test_a_method_that_was_not_begun_is_called_again(breaking, session, where, hresult):
    [disk] = session.instances("MSFT_Disk", Number=1)
    session.close()
    breaking.failing = [(where, hresult)]
    assert session.invoke(disk, "Initialize", PartitionStyle=2).return_value == 0
    assert breaking.done.count("ExecMethod") == 1


@pytest.mark.parametrize("hresult", MAYBE_DONE)
def test_a_method_that_may_have_been_done_is_called_once(breaking, session, hresult):
    [disk] = session.instances("MSFT_Disk", Number=1)
    breaking.failing = [("after ExecMethod", hresult)]
    with pytest.raises(HostUnreachable):
        session.invoke(disk, "Initialize", PartitionStyle=2)
    assert breaking.done.count("ExecMethod") == 1
    assert session.invoke(disk, "Initialize", PartitionStyle=2).return_value == 41001


@pytest.mark.parametrize("hresult", [*NOTHING_DONE, *MAYBE_DONE])
def test_a_method_whose_answer_is_lost_was_done_and_is_not_called_again(breaking, session, hresult):
    [disk] = session.instances("MSFT_Disk", Number=1)
    breaking.failing = [("ReturnValue", hresult)]
    with pytest.raises(HostUnreachable):
        session.invoke(disk, "Initialize", PartitionStyle=2)
    assert breaking.done.count("ExecMethod") == 1


def test_a_wmi_that_stays_away_is_unreachable_after_a_few_attempts(breaking, session):
    breaking.failing = [("ConnectServer", SERVER_UNAVAILABLE)] * 10
    with pytest.raises(HostUnreachable, match="RPC_S_SERVER_UNAVAILABLE"):
        session.instances("MSFT_Disk")
    assert len(breaking.failing) == 10 - MOST_ATTEMPTS
    breaking.failing = []
    assert len(session.instances("MSFT_Disk")) == 2


@pytest.mark.parametrize("where", ["ExecQuery", "Size"])
def test_what_wmi_says_no_to_is_said_once_and_the_connection_stays(breaking, session, where):
    session.instances("MSFT_Disk")
    breaking.failing = [(where, 0x80041003)]
    with pytest.raises(CimError) as failure:
        session.instances("MSFT_Disk")
    assert (failure.value.hresult, failure.value.operation) == (0x80041003, "ExecQuery")
    assert len(breaking.opened) == 1


@pytest.mark.parametrize("hresult", [0x80020006, 0x80020003, 0x80041002])
def test_a_property_that_this_windows_has_not_is_left_out(breaking, session, hresult):
    breaking.failing = [("BootFromDisk", hresult)]
    [disk] = session.instances("MSFT_Disk", Number=0)
    assert "BootFromDisk" not in disk.properties
    assert disk.number("Number") == 0


@pytest.mark.parametrize("hresult", [0x80004001, 0x80020006])
def test_without_a_path_of_wmis_own_an_object_is_named_by_its_key(breaking, session, hresult):
    breaking.failing = [("Path_", hresult)]
    [disk] = session.instances("MSFT_Disk", Number=1)
    assert disk.key == disk.text("ObjectId")
    assert session.invoke(disk, "Refresh").return_value in (0, 41000)


def test_an_association_of_what_has_gone_is_empty(breaking, session):
    [disk] = session.instances("MSFT_Disk", Number=1)
    breaking.failing = [("ExecQuery", 0x80041002)]
    assert session.associated(disk, "MSFT_DiskToPartition", "MSFT_Partition") == []


def test_no_return_value_is_no_success(breaking, session):
    [disk] = session.instances("MSFT_Disk", Number=1)
    breaking.failing = [("ReturnValue", 0x80041002)]
    with pytest.raises(CimError, match="no return value"):
        session.invoke(disk, "Refresh")


def test_wmi_that_gives_nothing_where_an_object_belongs_has_failed():
    class Nothing:
        def call(self, name, *arguments):
            return None

    with pytest.raises(CimError, match="where an object belongs"):
        ComSession(lambda _: Nothing()).instances("MSFT_Disk")


def test_a_null_parameter_is_not_given_and_a_signature_is_asked_for_once(breaking, session):
    [disk] = session.instances("MSFT_Disk", Number=1)
    for style in (None, 2):
        session.invoke(disk, "Initialize", PartitionStyle=style)
    session.invoke(disk, "Initialize", PartitionStyle=2)
    assert breaking.done.count("Get") == 1
    assert breaking.done.count("SpawnInstance_") == 2


class Row:
    """A row of a class that WMI names by several keys."""

    def get(self, name):
        if name == "Path_":
            return self
        if name == "RelPath":
            return 'Win32_BIOS.Name="x",Version="y"'
        return "x"

    def put(self, name, value):
        raise AssertionError(name)

    def call(self, name, *arguments):
        self.asked = (name, arguments)
        return self

    def each(self):
        return iter([self])


def test_an_object_with_several_keys_is_named_by_wmis_own_path():
    row = Row()
    session = ComSession(lambda _: row)
    [bios] = session.instances("CIM_BIOSElement")
    assert bios.key == RelativePath('Win32_BIOS.Name="x",Version="y"')
    session.associated(bios, "A", "CIM_BIOSElement")
    assert row.asked[1][0].startswith('ASSOCIATORS OF {Win32_BIOS.Name="x",Version="y"} WHERE')


def test_a_failure_tells_no_value_that_was_given():
    session = com_session(Lost(CimError(0x80041001, "x", "")))
    target = Instance("MSFT_iSCSITarget", "iqn", {})
    with pytest.raises(CimError) as failure:
        session.invoke(target, "Disconnect", SessionIdentifier=5)
    assert "5" not in failure.value.detail
    with pytest.raises(CimError) as failure:
        session.invoke("MSFT_iSCSISession", "SetCHAPSecret", ChapSecret="not to be told")
    assert "not to be told" not in str(failure.value)
