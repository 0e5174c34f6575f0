"""Page files and crash dump, as Windows' classes show them."""

import pytest
from tests.emulated import EmulatedNode

from csiproxy.emulator.machine import Machine
from csiproxy.errors import Win32Error


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


def page_files(node: EmulatedNode) -> list[str]:
    return [one.text("Name") for one in node.host.cim.instances("Win32_PageFileUsage")]


def dumps(node: EmulatedNode) -> list[str]:
    found = node.host.cim.instances("Win32_OSRecoveryConfiguration")
    return [one.text("ExpandedDebugFilePath") for one in found]


def test_a_fresh_windows_has_them_on_its_own_drive(node):
    assert page_files(node) == [r"C:\pagefile.sys"]
    assert dumps(node) == [r"C:\Windows\MEMORY.DMP"]


def test_there_is_an_instance_for_each_page_file(node):
    node.machine.memory_files.put_page_files([r"C:\pagefile.sys", r"D:\pagefile.sys"])
    assert page_files(node) == [r"C:\pagefile.sys", r"D:\pagefile.sys"]
    node.machine.memory_files.put_page_files([])
    assert page_files(node) == []


def test_one_instance_says_where_a_crash_is_dumped(node):
    node.machine.memory_files.put_dump(r"D:\dumps\MEMORY.DMP")
    assert dumps(node) == [r"D:\dumps\MEMORY.DMP"]


def test_a_page_file_is_a_name_alone(node):
    staged = node.volume()
    node.machine.letters.give("D", staged.id)
    node.machine.memory_files.put_page_files([r"D:\pagefile.sys"])
    [volume] = node.host.cim.instances("MSFT_Volume", DriveLetter=ord("D"))
    used = volume.number("Size") - volume.number("SizeRemaining")
    node.machine.memory_files.put_page_files([])
    [volume] = node.host.cim.instances("MSFT_Volume", DriveLetter=ord("D"))
    assert volume.number("Size") - volume.number("SizeRemaining") == used


@pytest.mark.parametrize(
    "path", ["pagefile.sys", "D:", "D:\\", "D:/pagefile.sys", r"\\server\share\x", "D:\\a\n"]
)
def test_what_is_no_path_is_refused(node, path):
    with pytest.raises(Win32Error) as refused:
        node.machine.memory_files.put_dump(path)
    assert refused.value.windows_code == 87
    assert dumps(node) == [r"C:\Windows\MEMORY.DMP"]


def test_they_outlive_the_node_and_go_with_a_reset(node):
    node.machine.memory_files.put_page_files([r"D:\pagefile.sys"])
    directory = node.machine.directory
    node.close()
    with Machine(directory) as again:
        assert again.memory_files.page_files == [r"D:\pagefile.sys"]
        again.reset()
        assert again.memory_files.page_files == [r"C:\pagefile.sys"]
    node.machine = Machine(directory)
