"""Letters of data volumes, as Windows' classes show them."""

import pytest
from tests.emulated import NO_VOLUME, EmulatedNode

from csiproxy.emulator.machine import Machine
from csiproxy.errors import Win32Error


@pytest.fixture
def node(tmp_path):
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


def shown(node: EmulatedNode, volume: str) -> tuple[int, tuple[str, ...], int]:
    """What the classes of volume and partition say."""
    [instance] = node.host.cim.instances("MSFT_Volume", UniqueId=volume)
    [partition] = node.host.cim.associated(instance, "MSFT_PartitionToVolume", "MSFT_Partition")
    paths = partition.texts("AccessPaths")
    return instance.number("DriveLetter"), paths, partition.number("DriveLetter")


def test_a_volume_has_its_letter_in_every_class(node):
    staged = node.volume()
    assert shown(node, staged.id) == (0, (staged.id,), 0)
    node.machine.letters.give("d", staged.id.upper().replace("VOLUME", "Volume"))
    assert shown(node, staged.id) == (ord("D"), ("D:\\", staged.id), ord("D"))
    assert [one.text("UniqueId") for one in node.host.cim.instances("MSFT_Volume", DriveLetter=ord("D"))] == [
        staged.id
    ]
    node.machine.letters.take("D")
    assert shown(node, staged.id) == (0, (staged.id,), 0)


def test_a_letter_is_one_volumes_and_a_volume_has_one(node):
    first, second = node.volume(), node.volume()
    node.machine.letters.give("D", first.id)
    with pytest.raises(Win32Error) as taken:
        node.machine.letters.give("D", second.id)
    assert taken.value.windows_code == 183
    node.machine.letters.give("E", first.id)
    assert [one.letter for one in node.machine.letters.reports()] == ["E"]


@pytest.mark.parametrize(("letter", "code"), [("C", 87), ("DE", 87), ("", 87), ("1", 87)])
def test_only_letters_behind_c_are_given(node, letter, code):
    with pytest.raises(Win32Error) as refused:
        node.machine.letters.give(letter, node.volume().id)
    assert refused.value.windows_code == code


def test_what_is_not_there_is_refused(node):
    with pytest.raises(Win32Error) as unknown:
        node.machine.letters.give("D", NO_VOLUME)
    assert unknown.value.windows_code == 1168
    with pytest.raises(Win32Error) as missing:
        node.machine.letters.take("D")
    assert missing.value.windows_code == 2


def test_letters_outlive_the_node_and_go_with_a_reset(node):
    node.machine.letters.give("D", node.volume().id)
    directory = node.machine.directory
    node.close()
    with Machine(directory) as again:
        assert [one.letter for one in again.letters.reports()] == ["D"]
        again.reset()
        assert again.letters.reports() == ()
    node.machine = Machine(directory)
