"""Which poller a system has."""

from csiproxy.rpc import poller


def test_this_system_has_a_poller_of_its_own() -> None:
    native: poller.Poller[str] = poller.native_poller()
    native.wake()
    assert native.wait(5) is None
    native.close()


def test_event_bits_are_distinct() -> None:
    assert len({poller.READ, poller.WRITE, poller.HANGUP, poller.READ | poller.WRITE | poller.HANGUP}) == 4
