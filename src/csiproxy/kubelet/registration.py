"""Registering one plugin: ask who it is, have its handler take it, and tell it how that went."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.csi.calling import Caller
from csiproxy.kubelet.worlds import ActualWorld, Plugin, Wanted
from csiproxy.rpc.status import RpcError

INFO_SECONDS: Final = 1.0
NOTIFY_SECONDS: Final = 5.0
"""How long kubelet waits for a registrar."""


class Refused(Exception):
    """A plugin is not taken; the text tells it why."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a plugin says of itself."""

    name: str
    endpoint: str
    versions: tuple[str, ...]


class Handler(Protocol):
    """Takes plugins of one kind.  Calls for one socket do not overlap; those for several may."""

    def validate(self, plugin: Introduction) -> None:
        """Raise :class:`Refused` when the plugin cannot be taken as it is."""
        ...

    def register(self, plugin: Introduction) -> None:
        """Take it; raise :class:`Refused` when that does not work."""
        ...

    def deregister(self, name: str, endpoint: str) -> None:
        """Let go of it."""
        ...


class Registrar:
    """Registers and unregisters plugins; ``dial`` gives what calls a registration socket."""

    def __init__(
        self, actual: ActualWorld, handlers: Mapping[str, Handler], dial: Callable[[str], Caller]
    ) -> None:
        self._actual = actual
        self._handlers = handlers
        self._dial = dial

    def register(self, socket: Wanted) -> None:
        """Register the plugin behind a socket; raise RpcError or :class:`Refused`, to be tried again.

        A plugin that its handler accepts at first and then cannot take is told so, and is not tried again
        until it makes its socket anew: that is kubelet's rule, and why registrars end when they are refused.
        """
        caller = self._dial(socket.path)
        try:
            info = caller.call(wire.InfoRequest(), wire.PluginInfo, timeout=INFO_SECONDS)
            handler = self._handlers.get(info.type)
            plugin = Introduction(info.name, info.endpoint or socket.path, tuple(info.supported_versions))
            if handler is None:
                raise _refusal(caller, f"nothing here takes plugins of type {info.type!r}")
            try:
                handler.validate(plugin)
            except Refused as refused:
                raise _refusal(caller, str(refused)) from refused
            self._actual.add(Plugin(socket, info.type, plugin.name, plugin.endpoint))
            try:
                handler.register(plugin)
            except Refused as refused:
                _notify(caller, error=f"plugin registration failed with err: {refused}")
                return
            _notify(caller)
        finally:
            caller.close()

    def unregister(self, plugin: Plugin) -> None:
        """Let go of a plugin whose socket is gone, or was made anew."""
        self._actual.remove(plugin)
        handler = self._handlers.get(plugin.kind)
        if handler is not None:
            handler.deregister(plugin.name, plugin.endpoint)


def _refusal(caller: Caller, reason: str) -> Refused:
    with suppress(RpcError):  # it may have gone; it is refused all the same
        _notify(caller, error=reason)
    return Refused(reason)


def _notify(caller: Caller, error: str = "") -> None:
    status = wire.RegistrationStatus(plugin_registered=not error, error=error)
    caller.call(status, wire.RegistrationStatusResponse, timeout=NOTIFY_SECONDS)
