"""Every limit of the gRPC core, by name, with its default and the reason for it.

Peers are programs on the same node that were allowed to connect.  They may still be broken or hostile, so
nothing that they send decides how much memory, how many threads or how much time they get.  A call that
hits a limit fails alone; a connection that hits one is closed alone.
"""

from dataclasses import dataclass, fields

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server gives away.  Counts and sizes are positive; times are seconds, sizes bytes."""

    # --- one connection's life ---------------------------------------------------------------------
    connections: int = 512
    """Open connections of the whole server.  A driver keeps up to one a group and version, and one silent
    probe beside each; ten drivers stay far below this, and it stays below the usual 1024 descriptors.
    When full, the connection that was idle longest makes room; with none idle the newcomer is refused."""

    handshake_seconds: float = 10.0
    """From accept to the client's preface and SETTINGS.  Clients send both at once; a connection that is
    silent for so long is a probe, or holds a place to keep others out."""

    idle_seconds: float = 3600.0
    """A connection without a call for so long is asked to go (GOAWAY).  Clients connect again on their own,
    so the only purpose is to be rid of leaked connections."""

    stall_seconds: float = 20.0
    """How long a peer may leave what we send to it: unread bytes, or a flow-control window that stays shut.
    It is also the time a peer has to hang up after GOAWAY.  A live local peer reads within milliseconds."""

    request_seconds: float = 30.0
    """From the first byte of a request's headers to its end.  A request is a few hundred bytes from a local
    process; one that dribbles in holds a stream and memory for nothing."""

    # --- HTTP/2 ------------------------------------------------------------------------------------
    streams: int = 100
    """Concurrent streams of a connection (SETTINGS_MAX_CONCURRENT_STREAMS).  100 is what RFC 9113 names as
    the least useful value and what gRPC clients assume before they have read SETTINGS."""

    header_list_bytes: int = 32 * 1024
    """Header list of a request as RFC 9113 counts it, and its compressed block.  gRPC implementations use 8
    to 16 KiB.  A longer list fails the call, a longer block (which must be kept whole) the connection."""

    continuation_frames: int = 8
    """CONTINUATION frames of one header block.  The list's limit fits into two full frames; more are an
    attempt to keep the server collecting."""

    hpack_table_bytes: int = 4096
    """The decoder's dynamic table (RFC 7541 4.2).  The protocol's default; a larger one only helps headers
    that are longer than gRPC's."""

    control_frames: int = 1000
    """Frames that ask for work but carry no request (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty or tiny
    DATA, refused streams, unknown types) that a connection may send in one burst.  Answered calls and sent
    data earn more, because honest clients send a few with each."""

    control_frames_per_second: float = 100.0
    """How fast the allowance of control frames comes back without calls."""

    resets: int = 200
    """Streams that a client may open and reset in one burst (rapid reset, CVE-2023-44487): two rounds of
    cancelling every concurrent call."""

    resets_per_second: float = 20.0
    """How fast the allowance of resets comes back; each answered call gives one back, too."""

    # --- memory ------------------------------------------------------------------------------------
    message_bytes: int = 4 * _MIB
    """One request or reply.  gRPC's own default; the largest real message is a directory listing."""

    outbox_bytes: int = 8 * _MIB
    """Replies of one connection that wait until the peer takes them: two of the largest."""

    buffered_bytes: int = 64 * _MIB
    """What the whole server holds for its peers: requests of more than one frame, and replies that wait.
    Enough for sixteen of the largest at once; beyond it calls fail with RESOURCE_EXHAUSTED."""

    status_bytes: int = 6 * 1024
    """Error text and details in the trailers together.  gRPC clients refuse 8 KiB of trailers, and with them
    the whole status; details that do not fit are left out, the text is cut."""

    # --- threads -----------------------------------------------------------------------------------
    blocking_threads: int = 32
    """Calls that may block and run at the same time.  A node has tens of disks and volumes, operations on
    one object wait for each other, and a hanging host call holds its thread until it returns."""

    queued_calls: int = 256
    """Calls that wait for a thread, for each of the two kinds.  Beyond it they fail at once with
    RESOURCE_EXHAUSTED, which clients back off from; waiting would only make them run into their deadline."""

    quick_threads: int = 4
    """Threads kept for calls that cannot block (health, questions about paths), so that these are answered
    however many others hang."""

    thread_idle_seconds: float = 30.0
    """A thread without work for so long ends (one is kept): bursts are rare, and a thread costs memory."""

    cancel_seconds: float = 1.0
    """What running calls get to notice their cancellation when the server stops."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise ValueError(f"the limit {field.name} must be greater than zero")
