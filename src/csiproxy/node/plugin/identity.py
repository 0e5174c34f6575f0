"""The Identity service: who the plugin is, what it serves, and whether its proxy answers."""

import re
from typing import Final

from csiproxy.client import Client
from csiproxy.csi import v1_pb2
from csiproxy.errors import CsiProxyError, InvalidArgument
from csiproxy.rpc.call import Call
from csiproxy.version import __version__

NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
"""A plugin's name: a domain name of at most 63 characters."""
GROUPS: Final = frozenset({"disk", "filesystem", "volume"})
"""What a node has to serve for the plugin to be of use."""


def checked_name(text: str) -> str:
    """A name for a plugin; InvalidArgument for what is none."""
    if not NAME.fullmatch(text):
        raise InvalidArgument(f"'{text[:64]}' is no name for a driver: write a domain name (63 characters)")
    return text


class Identity:
    """Serves the RPCs; a method has the name of its RPC.

    ``services`` are the services that are served besides Identity and Node, topology among them.
    """

    def __init__(
        self, name: str, client: Client, services: tuple["v1_pb2.PluginCapability.Service.Type", ...] = ()
    ) -> None:
        self._name = checked_name(name)
        self._client = client
        self._services = services

    def get_plugin_info(
        self,
        request: v1_pb2.GetPluginInfoRequest,
        call: Call,
    ) -> v1_pb2.GetPluginInfoResponse:
        """Name the plugin and its release."""
        return v1_pb2.GetPluginInfoResponse(name=self._name, vendor_version=__version__)

    def get_plugin_capabilities(
        self,
        request: v1_pb2.GetPluginCapabilitiesRequest,
        call: Call,
    ) -> v1_pb2.GetPluginCapabilitiesResponse:
        """List what is served; volumes grow while they are in use."""
        reply = v1_pb2.GetPluginCapabilitiesResponse()
        for service in self._services:
            reply.capabilities.add().service.type = service
        reply.capabilities.add().volume_expansion.type = v1_pb2.PluginCapability.VolumeExpansion.ONLINE
        return reply

    def probe(self, request: v1_pb2.ProbeRequest, call: Call) -> v1_pb2.ProbeResponse:
        """Tell whether the proxy serves what the plugin needs; until it does, the plugin is not ready."""
        try:
            served = {name.partition("/")[0] for name in self._client.served()}
        except (CsiProxyError, OSError):
            served = set()
        reply = v1_pb2.ProbeResponse()
        reply.ready.value = served >= GROUPS
        return reply
