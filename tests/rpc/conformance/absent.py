"""Rules of the same documents that have no row, each with the reason."""

from tests.rpc.conformance.row import Absent

ABSENT = (
    Absent(
        "RFC 9113 3.1", "Upgrade from HTTP/1.1 and the name h2c.", "Clients know that endpoints speak HTTP/2."
    ),
    Absent(
        "RFC 9113 3.2, 9.2", "TLS, ALPN and cipher suites.", "Pipes and sockets of one node carry no TLS."
    ),
    Absent(
        "RFC 9113 5.1",
        "The states reserved (local) and reserved (remote).",
        "They begin with PUSH_PROMISE, which a server may not receive and ours does not send.",
    ),
    Absent(
        "RFC 9113 5.1.1",
        "A connection whose stream numbers are used up is replaced.",
        "After 2^30 calls; our client opens another one before, which its own tests show.",
    ),
    Absent("RFC 9113 5.3.2", "A priority signal's meaning.", "It is deprecated; the content is ignored."),
    Absent(
        "RFC 9113 6.5.3",
        "SETTINGS_TIMEOUT when ours are not acknowledged.",
        "It is allowed, not required; nothing we announce restricts a client that has not read it.",
    ),
    Absent(
        "RFC 9113 6.9.1",
        "A sender that overruns the connection's window.",
        "Ours is opened again as soon as half of it is used, before the next frame is looked at.",
    ),
    Absent("RFC 9113 8.2.3", "The cookie field may be split.", "gRPC has no cookies."),
    Absent("RFC 9113 8.4", "Server push.", "Ours does not push; the rows have a client that does."),
    Absent("RFC 9113 8.5", "CONNECT tunnels.", "Ours has none and answers 405."),
    Absent("RFC 9113 8.8, 10.3", "Intermediaries that translate between versions of HTTP.", "Ours is none."),
    Absent("RFC 9113 9.1.2, RFC 8336", "421 and coalesced connections.", "An endpoint has one authority."),
    Absent("RFC 9113 10.7, RFC 7541 7.1.3", "Fields that must not be indexed.", "Our encoder never indexes."),
    Absent(
        "RFC 7541 4.2",
        "An encoder signals a table that has become smaller.",
        "Ours uses no dynamic table, so it has nothing to signal; our settings leave the peer's as it is.",
    ),
    Absent(
        "RFC 7541 7.1.3",
        "Never-indexed fields stay so when they are passed on.",
        "Nothing is passed on.",
    ),
    Absent(
        "gRPC Requests",
        "grpc-status-details-bin and metadata of requests with joined values.",
        "Metadata of requests is not used.",
    ),
    Absent("gRPC Responses", "Custom metadata in responses.", "There is none."),
    Absent("gRPC", "Client, server and two-way streaming.", "The interface has unary calls only."),
    Absent("gRPC", "Compression.", "It is refused; the rows say how."),
    Absent(
        "gRPC",
        "Keepalive, retries by policy, hedging and name resolution.",
        "They are the client's business.",
    ),
    Absent(
        "gRPC Security", "TLS and call credentials.", "Who may connect is decided by the pipe or directory."
    ),
)
