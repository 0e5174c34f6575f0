"""What the serving end keeps of a stream, and what it tells its owner."""

from csiproxy.rpc.request_head import RequestHead


class Request:
    """One complete request.

    ``deadline`` is on the caller's clock; ``held`` bytes of the budget belong to the request until whoever
    runs it gives them back.
    """

    __slots__ = ("deadline", "held", "message", "method", "stream_id")

    def __init__(
        self, stream_id: int, method: str, message: bytes, deadline: float | None, held: int
    ) -> None:
        self.stream_id = stream_id
        self.method = method
        self.message = message
        self.deadline = deadline
        self.held = held


class Cancelled:
    """The client does not want the reply to a request any more."""

    __slots__ = ("stream_id",)

    def __init__(self, stream_id: int) -> None:
        self.stream_id = stream_id


Event = Request | Cancelled


class ServerStream:
    """A stream that is not closed yet: collecting its request, being served, or sending its reply."""

    __slots__ = (
        "complete",
        "deadline",
        "head",
        "held",
        "id",
        "received",
        "reply",
        "request",
        "room",
        "started",
        "waits_since",
        "window",
    )

    def __init__(
        self,
        stream_id: int,
        head: RequestHead,
        window: int,
        room: int,
        started: float,
        deadline: float | None,
    ) -> None:
        self.id = stream_id
        self.head = head
        self.window = window
        """What the client lets us send."""
        self.room = room
        """What we let the client send."""
        self.started = started
        self.deadline = deadline
        self.request: bytes | bytearray = b""
        self.received = 0
        self.held = 0
        """Bytes of the budget: of the request while it comes in, of the reply while it waits."""
        self.complete = False
        """The client has sent everything."""
        self.reply: memoryview | None = None
        """What the client has not let us send of the reply."""
        self.waits_since: float | None = None
        """When the reply was found waiting first."""
