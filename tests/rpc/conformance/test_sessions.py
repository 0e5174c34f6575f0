"""Sessions that nobody wrote down: whatever a client may say, our core and h2 understand the same."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.settings
import hpack as judge
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rpc.wire import HEAD, framed, read_frames

from csiproxy.rpc import frames
from csiproxy.rpc.allowance import Budget
from csiproxy.rpc.frames import PREFACE, Reason
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.protocol import ServerConnection
from csiproxy.rpc.server_stream import Request

LIMITS = Limits()
PRIORITY = b"\0\0\0\0\x10"


@dataclass(frozen=True, slots=True)
class Plan:
    """One call: how its headers are written and cut, and how its message comes."""

    metadata: tuple[tuple[bytes, bytes], ...]
    huffman: bool
    message: bytes
    cuts: tuple[int, ...]
    padding: int | None
    priority: bool
    trailers: bool
    cancelled: bool


names = st.sampled_from([b"x-a", b"x-b", b"user-agent", b"grpc-timeout-not", b"authorization", b"x-c-bin"])
texts = st.text("abcxyz019 ", max_size=60).map(lambda text: text.strip().encode())
plans = st.builds(
    Plan,
    st.lists(st.tuples(names, texts), max_size=5).map(tuple),
    st.booleans(),
    st.binary(max_size=60) | st.integers(0, 3000).map(bytes),
    st.lists(st.integers(0, 400), max_size=4).map(lambda cuts: tuple(sorted(cuts))),
    st.none() | st.integers(0, 255),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
between = st.sampled_from(
    [
        frames.frame(frames.PING, 0, 0, b"12345678"),
        frames.frame(frames.PING, frames.ACK, 0, b"12345678"),
        frames.settings((frames.INITIAL_WINDOW_SIZE, 70_000)),
        frames.settings((frames.MAX_FRAME_SIZE, 20_000), (0x55, 1)),
        frames.settings((frames.HEADER_TABLE_SIZE, 0)),
        frames.window_update(0, 1000),
        frames.frame(frames.PRIORITY, 0, 99, PRIORITY),
        frames.frame(0x77, 3, 0, b"unknown"),
        b"",
    ]
)


def pieces(data: bytes, cuts: tuple[int, ...]) -> list[bytes]:
    """Cut into parts, of which some may be empty."""
    ends = [min(cut, len(data)) for cut in cuts]
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def block(plan: Plan, stream: int, encoder: judge.Encoder, *, last: bool) -> bytes:
    """HEADERS and perhaps CONTINUATION."""
    encoded = encoder.encode([*HEAD, *plan.metadata], huffman=plan.huffman)
    # The other implementation takes no HEADERS that are padding alone.
    first, *more = pieces(encoded, tuple(max(1, cut) for cut in plan.cuts[:3]))
    flags = frames.END_STREAM if last else 0
    if plan.padding is not None:
        flags |= frames.PADDED
    if plan.priority:
        flags |= frames.PRIORITIZED
    payload = (PRIORITY if plan.priority else b"") + first
    if plan.padding is not None:
        payload = bytes((plan.padding,)) + payload + bytes(plan.padding)
    kinds = [(frames.HEADERS, flags, payload), *((frames.CONTINUATION, 0, part) for part in more)]
    kind, flags, payload = kinds[-1]
    kinds[-1] = kind, flags | frames.END_HEADERS, payload
    return b"".join(frames.frame(kind, flags, stream, payload) for kind, flags, payload in kinds)


def parts(plan: Plan, stream: int, encoder: judge.Encoder) -> Iterator[bytes]:
    """The frames of one call, in parts that others may stand between."""
    yield block(plan, stream, encoder, last=False)
    data = pieces(framed(plan.message), plan.cuts)
    for at, part in enumerate(data):
        last = at == len(data) - 1 and not plan.trailers and not plan.cancelled
        flags = frames.END_STREAM if last else 0
        if plan.padding is None:
            yield frames.frame(frames.DATA, flags, stream, part)
        else:
            payload = bytes((plan.padding,)) + part + bytes(plan.padding)
            yield frames.frame(frames.DATA, flags | frames.PADDED, stream, payload)
    if plan.cancelled:
        yield frames.rst_stream(stream, Reason.CANCEL)
    elif plan.trailers:
        yield frames.frame(frames.HEADERS, 5, stream, encoder.encode([(b"x-sum", b"1")]))


@dataclass(slots=True)
class Understood:
    """The requests that an end has understood: their metadata, where it says so, and their messages."""

    messages: dict[int, bytes] = field(default_factory=dict)
    answers: list[tuple[int, bytes]] = field(default_factory=list)


def ours(wire: bytes, step: int) -> Understood:
    found = Understood()
    budget = Budget(LIMITS.buffered_bytes)
    end = ServerConnection(LIMITS, budget, 0.0)
    said = b""
    for at in range(0, len(wire), step):
        for event in end.receive(wire[at : at + step], 0.0):
            if isinstance(event, Request):
                found.messages[event.stream_id] = framed(event.message)
                budget.give(event.held)
        said += end.take()
    found.answers = control(said)
    end.close()
    assert budget.held == 0
    return found


def theirs(wire: bytes) -> Understood:
    found = Understood()
    end = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    end.local_settings = h2.settings.Settings(client=False, initial_values={4: 1 << 20})
    end.initiate_connection()
    end.increment_flow_control_window(1 << 22)
    bodies: dict[int, bytes] = {}
    for event in end.receive_data(wire):
        if isinstance(event, h2.events.DataReceived):
            bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
        elif isinstance(event, h2.events.StreamEnded):
            found.messages[event.stream_id] = bodies.get(event.stream_id, b"")
    found.answers = control(end.data_to_send())
    return found


def control(wire: bytes) -> list[tuple[int, bytes]]:
    """Answers to PING and SETTINGS."""
    return [
        (frame.type, frame.serialize())
        for frame in read_frames(wire)
        if frame.type in (frames.PING, frames.SETTINGS) and "ACK" in frame.flags
    ]


@settings(max_examples=120)
@given(
    st.lists(plans, min_size=1, max_size=5), st.lists(between, max_size=8), st.data(), st.integers(1, 5000)
)
def test_two_implementations_understand_a_session_alike(
    calls: list[Plan], others: list[bytes], draw: st.DataObject, step: int
) -> None:
    encoder = judge.Encoder()
    waiting = [parts(plan, 2 * at + 1, encoder) for at, plan in enumerate(calls)]
    opened = 0
    wire = PREFACE + frames.settings()
    while waiting:
        # Calls begin in order, as their numbers have to increase; what follows may be mixed.
        at = draw.draw(st.integers(0, min(opened, len(waiting) - 1)))
        opened = max(opened, at + 1)
        part = next(waiting[at], None)
        if part is None:
            del waiting[at]
            opened -= 1
            continue
        wire += part + (others.pop() if others else b"")
    mine, other = ours(wire, step), theirs(wire)
    assert mine.messages == other.messages
    assert mine.answers == other.answers
    expected = {2 * at + 1: framed(plan.message) for at, plan in enumerate(calls) if not plan.cancelled}
    assert mine.messages == expected
