import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulator.ground import open_descriptors

from csiproxy.emulator import frames
from csiproxy.emulator.frames import Frame, NothingSent
from csiproxy.emulator.wire import WireError


@pytest.fixture
def pair():
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_messages_arrive_one_by_one_as_they_were_sent(messages):
    one, other = socket.socketpair()
    with other:
        with one:
            for message in messages:
                frames.send(one, message)
        assert [frames.receive(other) for _ in messages] == [Frame(message) for message in messages]
        assert frames.receive(other) is None


def test_a_descriptor_arrives_with_the_message_it_was_sent_with(pair, tmp_path):
    directory = os.open(tmp_path, os.O_RDONLY)
    frames.send(pair[0], b"first")
    frames.send(pair[0], b"second", [directory])
    frames.send(pair[0], b"third")
    os.close(directory)
    first, second, third = (frames.receive(pair[1]) for _ in range(3))
    assert (first, third) == (Frame(b"first"), Frame(b"third"))
    assert second.message == b"second"
    [received] = second.descriptors
    assert os.path.samestat(os.fstat(received), os.stat(tmp_path))
    assert not os.get_inheritable(received)
    second.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(received)


def test_more_descriptors_than_any_call_has_are_closed_and_refused(pair):
    before = open_descriptors()
    for count in (2, 5, 200):
        socket.send_fds(pair[0], [frames.HEADER.pack(0)], [0] * count)
        with pytest.raises(WireError):
            frames.receive(pair[1])
    assert open_descriptors() == before


def test_a_message_that_announces_too_much_is_refused_before_it_is_read(pair):
    pair[0].send(frames.HEADER.pack(frames.LARGEST + 1))
    with pytest.raises(WireError):
        frames.receive(pair[1])
    with pytest.raises(WireError):
        frames.send(pair[0], bytes(frames.LARGEST + 1))


def test_the_largest_message_arrives(pair):
    largest = bytes(frames.LARGEST)
    with ThreadPoolExecutor(1) as sender:
        sender.submit(frames.send, pair[0], largest)
        assert frames.receive(pair[1]) == Frame(largest)


@pytest.mark.parametrize("begin", [b"\0", b"\0\0\0", b"\0\0\0\5", b"\0\0\0\5abcd"])
def test_an_end_within_a_message_is_no_message(pair, begin, tmp_path):
    directory = os.open(tmp_path, os.O_RDONLY)
    before = open_descriptors()
    socket.send_fds(pair[0], [begin], [directory])
    pair[0].shutdown(socket.SHUT_WR)
    with pytest.raises(WireError):
        frames.receive(pair[1])
    assert open_descriptors() == before
    os.close(directory)


def test_a_peer_that_was_gone_has_seen_nothing(pair):
    pair[1].close()
    with pytest.raises(NothingSent):
        frames.send(pair[0], b"message")


def test_a_closed_or_babbling_peer_is_noticed_without_a_call(pair):
    assert not frames.is_closed(pair[0])
    pair[1].send(b"x")
    assert frames.is_closed(pair[0])
    pair[1].close()
    assert frames.is_closed(pair[0])
