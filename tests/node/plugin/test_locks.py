import threading

import pytest
from tests.running import until

from csiproxy.errors import Aborted
from csiproxy.node.plugin.locks import SharedLocks, VolumeLocks


def test_a_volume_is_held_once_and_others_are_free():
    locks = VolumeLocks()
    with locks.hold("a"), locks.hold("b"):
        with pytest.raises(Aborted, match="volume a"), locks.hold("a"):
            pass
    with locks.hold("a"):
        pass


def test_what_is_shared_is_waited_for_and_not_for_ever():
    locks = SharedLocks()
    order = []

    def second():
        with locks.hold("share", 60):
            order.append("second")

    with locks.hold("share", 60):
        thread = threading.Thread(target=second)
        thread.start()
        with pytest.raises(Aborted), locks.hold("share", 0):
            pass
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    until(lambda: not locks._locks)
