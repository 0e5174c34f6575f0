"""Every limit of the gRPC core, by name, with its default and the reason for it.

Peers are programs on the same node that were allowed to connect.  They may still be broken or hostile, so
nothing that they send decides how much memory, how many threads or how much time they get.  A call that
hits a limit fails alone; a connection that hits one is closed alone.

What many may have together one client (a process) cannot have alone, so that it cannot keep others from
being served.  Where the system does not say which process a connection belongs to, each connection counts as
a client.

Beyond ``buffered_bytes`` a server holds per connection, whatever its peer does: 64 KiB of replies that are
about to be sent, 64 KiB of answers to control frames, an unfinished frame (16 KiB), an unfinished header
block (``header_list_bytes`` and a frame), the dynamic table, the heads that are remembered (16 KiB as header
lists count), and ``streams`` paths of ``path_bytes``.  Requests of one frame are not counted as buffered;
there are at most as many as calls run or wait (``blocking_threads``, ``quick_threads``, twice
``queued_calls``), 9 MiB of them.
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
    It is never more than half of the descriptors that the process may open.  When full, the client with the
    most connections has the one that was idle longest go; with none idle the newcomer is refused."""

    connections_per_client: int = 128
    """Open connections of one client: a driver's 25 several times over, and a quarter of all."""

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
    """From the first byte of a request's headers to its end, and of any single frame or header block.  A
    request is a few hundred bytes from a local process; one that dribbles in holds a stream and memory for
    nothing.  A request that is late fails; a late frame or header block ends the connection."""

    reply_seconds: float = 30.0
    """From the moment that the client holds a reply back to the moment that it has taken all of it.  Who
    reads a little now and then does not stall, but keeps what others could use."""

    calls_per_client: int = 20_000
    """Calls that one client may make in one burst.  A node with a hundred pods that starts makes some
    thousands, over minutes."""

    calls_per_second_per_client: float = 2000.0
    """How fast that comes back.  A driver whose volumes are asked about every minute makes some ten; whoever
    makes so many for long is broken, or wants others to wait, and gets RESOURCE_EXHAUSTED."""

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

    path_bytes: int = 512
    """Length of a request's path.  The longest real one has under 100; a path is kept as long as its call."""

    hpack_table_bytes: int = 4096
    """The decoder's dynamic table (RFC 7541 4.2).  The protocol's default; a larger one only helps headers
    that are longer than gRPC's, and with a smaller one clients that have not read SETTINGS yet fail."""

    control_frames: int = 1000
    """Frames that ask for work but carry no request (PING, each value of SETTINGS, PRIORITY, WINDOW_UPDATE,
    empty or tiny DATA, streams that are refused or malformed, unknown types) that a connection may send in
    one burst.  Answered calls and sent data earn more, because honest clients send a few with each."""

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

    buffered_bytes_per_client: int = 16 * _MIB
    """What one client may have of that: four of the largest."""

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

    blocking_threads_per_client: int = 24
    """How many of these threads one client's calls may hold at the same time, so that calls that hang leave
    some to other drivers."""

    queued_calls_per_client: int = 128
    """How much of each line one client may fill: more than a connection may have open."""

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
