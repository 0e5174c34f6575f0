"""The targets by name.  A target is loaded late, so that the engine can instrument what it imports."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

LARGEST_INPUT = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a target is, what it promises in a few words, and the bytes that an input may have."""

    module: str
    promise: str
    largest: int = LARGEST_INPUT


@dataclass(frozen=True, slots=True)
class Target:
    """A loaded target.  ``run`` returns, or raises when a promise is broken; ``seeds`` are small inputs."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    largest: int


CATALOGUE: Mapping[str, Entry] = {
    "server-protocol": Entry(
        "server_protocol", "bytes from a client end in requests, answers or Http2Error; memory has bounds"
    ),
    "client-protocol": Entry(
        "client_protocol", "bytes from a server end in outcomes or Http2Error; memory has bounds"
    ),
    "hpack": Entry("hpack_blocks", "header blocks are read as RFC 7541 and the hpack library read them"),
    "request-head": Entry("request_head", "headers are judged alike whatever was remembered of earlier ones"),
    "grpc-headers": Entry("grpc_headers", "timeouts, messages and details are read or refused, never more"),
    "requests": Entry("requests", "bytes of any RPC become arguments, or the client's own error"),
    "calls": Entry("calls", "any bytes for any RPC, on an emulated node, never make the proxy itself fail"),
    "health": Entry("health_request", "the hand-written health request is read as protobuf reads it"),
    "audit": Entry("audit_record", "a record is one line of JSON of bounded size, without any secret"),
    "paths": Entry("path_grammar", "a path is accepted exactly when a second statement accepts it"),
    "gpt": Entry("gpt_table", "a partition table is sound or refused, and what is written is read back"),
    "mbr": Entry("mbr_table", "a master boot record is sound or refused, and what is written is read back"),
    "volume-begin": Entry("volume_begin", "the begin of a volume is recognised or not, and nothing else"),
    "state": Entry("state_file", "a state file opens, or is refused and left as it was", largest=1 << 16),
    "node-wire": Entry("node_wire", "a message is a value that has this wire form, or WireError"),
    "node-calls": Entry("node_calls", "no message makes an emulated node fail in a way it does not know"),
}  # fmt: skip


def load(name: str) -> Target:
    """Import a target."""
    entry = CATALOGUE[name]
    module = import_module(f"fuzz.targets.{entry.module}")
    return Target(
        name,
        cast("Callable[[bytes], None]", module.run),
        cast("Callable[[], Iterable[bytes]]", module.seeds),
        entry.largest,
    )
