"""A copy never waits, drops the oldest where there is no room, and says so."""

import threading

from tests.running import until

from csiproxy.audit.copies import Copy, Entry, Level


def entry(number: int) -> Entry:
    return Entry("/v1.Disk/Rescan", Level.INFO, f'{{"number":{number}}}')


class Log:
    """A log that takes entries while ``up``."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = threading.Event()
        if up:
            self.up.set()
        self.tried = threading.Event()
        self.entries: list[Entry] = []
        self.closed = False

    def write(self, entry: Entry) -> None:
        self.tried.set()
        if not self.up.is_set():
            raise OSError(111, "Connection refused")
        self.entries.append(entry)

    def close(self) -> None:
        self.closed = True


def test_entries_arrive_in_their_order():
    log = Log()
    copy = Copy("log", log, lambda *_: None)
    for number in range(100):
        copy.put(entry(number))
    copy.close(60)
    assert log.entries == [entry(number) for number in range(100)]
    assert (log.closed, copy.lost) == (True, 0)


def test_a_log_that_comes_back_gets_what_waited_and_the_count_of_the_rest():
    log, told = Log(up=False), []
    copy = Copy("log", log, lambda *said: told.append(said), room=3)
    copy.put(entry(0))
    assert log.tried.wait(60)
    for number in range(1, 6):
        copy.put(entry(number))
    assert copy.lost == 3
    log.up.set()
    until(lambda: len(log.entries) == 4)
    assert told == [("log", "Connection refused")]
    assert '"lost":3' in log.entries[0].text
    assert log.entries[1:] == [entry(number) for number in (3, 4, 5)]
    copy.close(60)


def test_the_end_does_not_wait_for_a_log_that_is_down():
    log = Log(up=False)
    copy = Copy("log", log, lambda *_: None)
    copy.put(entry(0))
    assert log.tried.wait(60)
    copy.close(60)
    assert (copy.lost, log.closed) == (1, True)


def test_any_failure_counts():
    class Broken(Log):
        def write(self, entry: Entry) -> None:
            raise RuntimeError("not an OSError")

    told: list[tuple[str, str]] = []
    copy = Copy("log", Broken(), lambda *said: told.append(said))
    copy.put(entry(0))
    until(lambda: told == [("log", "RuntimeError")])
    copy.close(60)
