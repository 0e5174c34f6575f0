"""The demo's gRPC client: any RPC of any version, over the endpoint's real socket."""

from collections.abc import Mapping
from typing import Self, TypeVar

from csiproxy.api import status_details, versions
from csiproxy.cli.json_message import plain
from csiproxy.cli.places import open_channel
from csiproxy.rpc.channel import Channel

CALL_SECONDS = 30.0

T = TypeVar("T")


class Refused(Exception):
    """A CSIProxyService call answered with an error code other than 0."""


class Reply:
    """A reply's fields by name; a field of another type than asked for is a fault of the demo."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        self._fields = fields

    def _get(self, name: str, kind: type[T]) -> T:
        value = self._fields[name]
        if not isinstance(value, kind):
            raise TypeError(f"{name} is no {kind.__name__}")
        return value

    def text(self, name: str) -> str:
        """A text."""
        return self._get(name, str)

    def number(self, name: str) -> int:
        """A number."""
        return self._get(name, int)

    def flag(self, name: str) -> bool:
        """A truth value."""
        return self._get(name, bool)

    def texts(self, name: str) -> list[str]:
        """Texts, in order."""
        return [str(item) for item in self._get(name, list)]

    def table(self, name: str) -> dict[str, "Reply"]:
        """A map of messages by key."""
        return {str(key): Reply(value) for key, value in self._get(name, dict).items()}


class Client:
    """Calls one proxy.  It keeps its connections, and connects again when the proxy was started anew."""

    def __init__(self, endpoints: str) -> None:
        self._endpoints = endpoints
        self._channels: dict[str, Channel] = {}

    def call(self, contract_name: str, rpc: str, fields: Mapping[str, object]) -> Reply:
        """Make a call; raise RpcError for a status, :class:`Refused` for an error code."""
        contract = versions.contract(contract_name)
        method = contract.methods()[f"/{contract.service}/{rpc}"]
        channel = self._channels.get(contract_name)
        if channel is None:
            channel = open_channel(self._endpoints, contract.endpoint)
            self._channels[contract_name] = channel
        request = method.request(**fields).SerializeToString()
        data = channel.call(f"/{contract.service}/{rpc}", request, timeout=CALL_SECONDS)
        reply = plain(method.reply.FromString(data))
        code = reply.get("error_code", 0)
        if code != 0:
            name = status_details.windows_name(code) if isinstance(code, int) else ""
            raise Refused(f"error_code {code} {name}".rstrip())
        return Reply(reply)

    def close(self) -> None:
        """Hang up."""
        for channel in self._channels.values():
            channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
