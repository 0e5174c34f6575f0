"""A call as its handler sees it."""

from csiproxy.rpc.call import Call
from csiproxy.rpc.stream import Peer

PEER = Peer(1, 2)


def a_call() -> Call:
    return Call("csi-proxy-disk-v1", "/v1.Disk/Rescan", b"message", PEER, 5.0)


def test_a_call_says_what_was_asked_by_whom_and_until_when() -> None:
    call = a_call()
    assert (call.endpoint, call.method, call.message) == ("csi-proxy-disk-v1", "/v1.Disk/Rescan", b"message")
    assert (call.peer, call.deadline) == (PEER, 5.0)
    assert not call.cancelled()


def test_cancelling_calls_everybody_once() -> None:
    call, heard = a_call(), []
    call.on_cancel(lambda: heard.append("one"))
    call.on_cancel(lambda: heard.append("two"))
    call.cancel()
    call.cancel()
    assert call.cancelled()
    assert heard == ["one", "two"]


def test_who_comes_after_the_cancellation_is_called_at_once() -> None:
    call, heard = a_call(), []
    call.cancel()
    call.on_cancel(lambda: heard.append("late"))
    assert heard == ["late"]


def test_what_one_callback_raises_does_not_keep_the_next_from_being_called() -> None:
    call, heard = a_call(), []
    call.on_cancel(lambda: 1 / 0)
    call.on_cancel(lambda: heard.append("next"))
    call.cancel()
    assert heard == ["next"]


def test_after_the_handler_has_returned_nobody_is_called() -> None:
    call, heard = a_call(), []
    call.on_cancel(lambda: heard.append("never"))
    call.finish()
    call.cancel()
    assert heard == []
