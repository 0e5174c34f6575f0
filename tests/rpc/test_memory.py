"""The transport inside one process; what it shares with the others is in test_stream."""

import os
from threading import Thread

import pytest

from csiproxy.rpc.memory import MemoryListener, pair


def test_a_stream_has_no_descriptor_and_this_process_as_its_peer() -> None:
    left, right = pair()
    assert left.fileno() == right.fileno() == MemoryListener("x").fileno() == -1
    assert left.peer.pid == os.getpid()


def test_a_reader_is_woken_by_the_writer() -> None:
    left, right = pair()
    writer = Thread(target=lambda: left.send(b"x"))
    writer.start()
    assert right.wait(write=False, timeout=10)
    assert right.receive(1) == b"x"
    writer.join()


def test_who_subscribed_hears_of_bytes_room_and_the_end() -> None:
    left, right = pair()
    heard: list[str] = []
    right.subscribe(lambda: heard.append("right"))
    left.subscribe(lambda: heard.append("left"))
    assert heard == ["right", "left"]
    heard.clear()
    left.send(b"xy")
    assert heard == ["right"]
    right.receive(1)
    assert heard == ["right", "left", "right"]  # room for the writer, and one more byte for the reader
    heard.clear()
    left.close()
    assert heard == ["right"]


def test_a_listener_tells_of_who_connects_and_of_who_still_waits() -> None:
    listener = MemoryListener("csi-proxy-disk-v1")
    heard: list[int] = []
    listener.subscribe(lambda: heard.append(1))
    heard.clear()
    listener.connect()
    listener.connect()
    assert len(heard) == 2
    listener.accept()
    assert len(heard) == 3
    listener.accept()
    assert len(heard) == 3


def test_closing_a_listener_hangs_up_on_who_was_not_accepted_and_refuses_the_next() -> None:
    listener = MemoryListener("csi-proxy-disk-v1")
    waiting = listener.connect()
    listener.close()
    assert waiting.receive(1) == b""
    with pytest.raises(ConnectionRefusedError, match="csi-proxy-disk-v1"):
        listener.connect()
