import pytest
from tests.node.plugin.ground import Mode, mounted

from csiproxy.errors import InvalidArgument
from csiproxy.node.plugin.capability import Kind, demand_read_only, read


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "mode", [Mode.SINGLE_NODE_WRITER, Mode.SINGLE_NODE_SINGLE_WRITER, Mode.SINGLE_NODE_MULTI_WRITER]
)
def test_one_node_may_write_any_volume(kind, mode):
    assert read(mounted(mode, fs_type=""), kind, attached_read_only=False).mode == Mode.Name(mode)


@pytest.mark.parametrize(("kind", "fs_type"), [(Kind.DISK, "NTFS"), (Kind.ISCSI, "ntfs"), (Kind.SMB, "cifs")])
def test_a_file_system_is_known_in_any_case(kind, fs_type):
    read(mounted(fs_type=fs_type), kind, attached_read_only=False)


@pytest.mark.parametrize(("kind", "fs_type"), [(Kind.DISK, "cifs"), (Kind.SMB, "ntfs"), (Kind.ISCSI, "xfs")])
def test_another_file_system_is_refused(kind, fs_type):
    with pytest.raises(InvalidArgument, match=fs_type):
        read(mounted(fs_type=fs_type), kind, attached_read_only=False)


@pytest.mark.parametrize("mode", [Mode.MULTI_NODE_SINGLE_WRITER, Mode.MULTI_NODE_MULTI_WRITER])
def test_several_nodes_write_shares_alone(mode):
    read(mounted(mode, fs_type=""), Kind.SMB, attached_read_only=False)
    with pytest.raises(InvalidArgument):
        read(mounted(mode, fs_type=""), Kind.DISK, attached_read_only=False)


def test_readers_need_a_volume_that_nobody_can_write():
    readers = mounted(Mode.MULTI_NODE_READER_ONLY, fs_type="")
    read(readers, Kind.DISK, attached_read_only=True)
    with pytest.raises(InvalidArgument, match="read-only"):
        read(readers, Kind.SMB, attached_read_only=False)
    with pytest.raises(InvalidArgument):
        demand_read_only(attached_read_only=False)


def test_one_writer_alone_is_one_target_alone():
    alone = read(mounted(Mode.SINGLE_NODE_SINGLE_WRITER), Kind.DISK, attached_read_only=False)
    assert alone.one_target
    assert not read(mounted(), Kind.DISK, attached_read_only=False).one_target
