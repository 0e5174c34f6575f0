import os
import socket
import stat
from dataclasses import dataclass

import pytest

from csiproxy.csi import address
from csiproxy.kubelet.sockets import Kind, answers, is_socket, kind_of, look


@dataclass
class WindowsStatus:
    """What Windows says of an entry."""

    st_mode: int
    st_reparse_tag: int


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (WindowsStatus(stat.S_IFREG, 0x80000023), Kind.SOCKET),
        (WindowsStatus(stat.S_IFREG, 0), Kind.OTHER),
        (WindowsStatus(stat.S_IFLNK, 0xA000000C), Kind.OTHER),
        (WindowsStatus(stat.S_IFDIR, 0xA0000003), Kind.DIRECTORY),
        (os.stat_result((stat.S_IFSOCK,) + (0,) * 9), Kind.SOCKET),
    ],
)
def test_the_reparse_tag_or_the_mode_tells_a_socket(status, kind):
    assert kind_of(status) is kind


def test_a_look_does_not_follow_links_and_opens_nothing(short_directory):
    path = str(short_directory / "s")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)  # nobody listens: a dial would be refused
        os.symlink(path, short_directory / "link")
        assert look(path) is Kind.SOCKET
        assert look(str(short_directory / "link")) is Kind.OTHER
        assert look(str(short_directory)) is Kind.DIRECTORY
    with pytest.raises(FileNotFoundError):
        look(str(short_directory / "none"))


@pytest.mark.parametrize(
    ("kind", "dials"), [(Kind.SOCKET, 0), (Kind.OTHER, 0), (Kind.DIRECTORY, 0), (Kind.UNCLEAR, 1)]
)
def test_one_dial_decides_only_where_the_tag_cannot_be_read(kind, dials):
    dialled = []
    found = is_socket(kind, "p", lambda path: dialled.append(path) or True)
    assert len(dialled) == dials
    assert found is (kind in (Kind.SOCKET, Kind.UNCLEAR))


def test_a_dial_is_answered_by_a_listener_alone(short_directory):
    path = str(short_directory / "s")
    assert not answers(path)
    listener = address.listen(path, "s")
    assert answers(path)
    listener.close()
