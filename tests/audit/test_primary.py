"""A sink that fails holds nobody up, and no line is lost without a count."""

import threading

from tests.running import until

from csiproxy.audit.primary import Primary, Room, Standing


class Fragile:
    """A sink that fails while ``down``."""

    def __init__(self) -> None:
        self.down = False
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        if self.down:
            raise OSError(28, "No space left on device")
        self.lines.append(line)


class Stuck:
    """A sink whose first write does not return until ``go``."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.reached = threading.Event()
        self.lines: list[bytes] = []

    def write(self, line: bytes) -> None:
        if not self.lines:
            self.reached.set()
            self.go.wait(60)
        self.lines.append(line)


def lines(*numbers: int) -> list[bytes]:
    return [b"%d\n" % number for number in numbers]


def test_a_line_is_written_at_once():
    sink, told = Fragile(), []
    primary = Primary(sink, told.append)
    assert primary.write(b"1\n")
    assert (sink.lines, told, primary.standing) == ([b"1\n"], [], Standing(0, 0, 0))


def test_lines_are_held_in_their_order_while_the_sink_fails_and_told_once():
    sink, told = Fragile(), []
    primary = Primary(sink, told.append)
    sink.down = True
    assert not any(primary.write(line) for line in lines(1, 2, 3))
    assert primary.standing == Standing(3, 0, 0)
    assert told == ["No space left on device"]
    sink.down = False
    assert primary.write(b"4\n")
    assert sink.lines == lines(1, 2, 3, 4)
    sink.down = True
    primary.write(b"5\n")
    assert len(told) == 2
    sink.down = False
    assert primary.flush()
    assert sink.lines == lines(1, 2, 3, 4, 5)


def test_what_finds_no_room_is_spilled_and_the_trail_says_so():
    sink, spill = Fragile(), Fragile()
    note = b"%d spilled, %d lost\n"
    primary = Primary(sink, lambda _: None, spill=spill, note_loss=lambda *n: note % n, room=Room(lines=3))
    sink.down = True
    for line in lines(1, 2, 3, 4, 5):
        primary.write(line)
    assert primary.standing == Standing(3, 2, 0)
    assert spill.lines == lines(1, 2)
    sink.down = False
    assert primary.flush()
    assert sink.lines == [*lines(3, 4, 5), note % (2, 0)]
    assert primary.flush()
    assert len(sink.lines) == 4


def test_bytes_are_bounded_too():
    sink = Fragile()
    sink.down = True
    primary = Primary(sink, lambda _: None, room=Room(lines=100, bytes=1000))
    for _ in range(50):
        primary.write(b"x" * 99 + b"\n")
    assert primary.standing == Standing(10, 0, 40)


def test_without_a_spill_or_with_one_that_fails_lines_are_counted_as_lost():
    for spill in (None, Fragile()):
        sink = Fragile()
        sink.down = True
        if spill is not None:
            spill.down = True
        primary = Primary(sink, lambda _: None, spill=spill, room=Room(lines=1))
        for line in lines(1, 2, 3):
            primary.write(line)
        assert primary.standing == Standing(1, 0, 2)


def test_what_must_be_written_now_is_not_held():
    sink = Fragile()
    sink.down = True
    primary = Primary(sink, lambda _: None)
    assert not primary.try_write(b"1\n")
    assert primary.standing.held == 0
    sink.down = False
    assert primary.try_write(b"2\n")
    assert sink.lines == lines(2)


def test_a_write_that_does_not_return_holds_up_its_own_thread_alone():
    sink, told = Stuck(), []
    primary = Primary(sink, told.append, patience=0.01)
    stuck = threading.Thread(target=primary.write, args=(b"1\n",))
    stuck.start()
    assert sink.reached.wait(60)
    assert not primary.write(b"2\n")  # waits its patience
    assert not primary.write(b"3\n")  # does not wait any more
    assert told == ["a write does not return"]
    assert primary.standing.held == 2
    assert not primary.flush()
    sink.go.set()
    stuck.join()
    assert primary.flush()
    assert sink.lines == lines(1, 2, 3)
    assert primary.write(b"4\n")


def test_any_failure_of_a_sink_is_held_against_it_alone():
    class Broken:
        def write(self, line: bytes) -> None:
            raise RuntimeError("not an OSError")

    told: list[str] = []
    primary = Primary(Broken(), told.append)
    assert not primary.write(b"1\n")
    assert told == ["RuntimeError"]
    assert primary.run(lambda: 5) == 5


def test_work_on_a_sink_that_fails_gives_nothing():
    def fail() -> int:
        raise OSError(5, "Input/output error")

    told: list[str] = []
    primary = Primary(Fragile(), told.append)
    assert primary.run(fail) is None
    assert told == ["Input/output error"]


def test_at_the_end_what_is_held_is_written_or_spilled():
    sink, spill = Fragile(), Fragile()
    primary = Primary(sink, lambda _: None, spill=spill)
    sink.down = True
    primary.write(b"1\n")
    primary.end()
    assert (spill.lines, primary.standing) == ([b"1\n"], Standing(0, 1, 0))
    primary.write(b"2\n")
    sink.down = False
    primary.end()
    assert sink.lines == [b"2\n"]


def test_a_spill_that_is_stuck_holds_up_one_thread_alone():
    sink, spill = Fragile(), Stuck()
    sink.down = True
    primary = Primary(sink, lambda _: None, spill=spill, room=Room(lines=1))
    primary.write(b"1\n")
    first = threading.Thread(target=primary.write, args=(b"2\n",))
    first.start()
    assert spill.reached.wait(60)
    primary.write(b"3\n")
    assert primary.standing.lost == 1
    spill.go.set()
    first.join()
    until(lambda: primary.standing == Standing(1, 1, 1))
