"""Plugins of tests: a registration socket with what stands behind it, in this process."""

import io
import threading
from pathlib import Path

from csiproxy.csi import address, v1_pb2
from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.csi.serving import server
from csiproxy.node.registrar.registration import SERVICE
from csiproxy.rpc.server import Server

NODE = v1_pb2.DESCRIPTOR.services_by_name["Node"]
SECONDS = 60.0


class Node:
    """Says how it knows this node; ``ready`` holds the answer back until it is set."""

    def __init__(self, node_id: str = "node-1") -> None:
        self.node_id = node_id
        self.ready = threading.Event()
        self.ready.set()

    def node_get_info(self, request, call):
        assert self.ready.wait(SECONDS)
        info = v1_pb2.NodeGetInfoResponse(node_id=self.node_id, max_volumes_per_node=7)
        info.accessible_topology.segments["zone"] = "z"
        return info


class Introducing:
    """The registration service of one plugin; ``told`` collects what it hears of its registration."""

    def __init__(self, info: wire.PluginInfo) -> None:
        self.info = info
        self.told: list[tuple[bool, str]] = []

    def get_info(self, request, call):
        return self.info

    def notify_registration_status(self, request, call):
        self.told.append((request.plugin_registered, request.error))
        return wire.RegistrationStatusResponse()


def serve(path: Path, service, implementation) -> Server:
    running = server({service: implementation}, io.StringIO())
    running.add(address.listen(str(path), "test"))
    running.start()
    return running


class PluginProcess:
    """A driver and its registrar, as they are seen from kubelet."""

    def __init__(
        self,
        directory: Path,
        name: str = "disk.csi.example",
        *,
        file: str = "",
        kind: str = "CSIPlugin",
        versions: tuple[str, ...] = ("1.0.0",),
        node: Node | None = None,
        endpoint: str | None = None,
    ) -> None:
        self.socket = directory / "reg" / f"{file or name}-reg.sock"
        self.endpoint = directory / f"{file or name}.sock"
        self.node = node or Node()
        windows = "\\" + self.endpoint.name if endpoint is None else endpoint
        self.introducing = Introducing(
            wire.PluginInfo(type=kind, name=name, endpoint=windows, supported_versions=versions)
        )
        self._driver = serve(self.endpoint, NODE, self.node)
        self._registrar = serve(self.socket, SERVICE, self.introducing)

    @property
    def told(self) -> list[tuple[bool, str]]:
        return self.introducing.told

    def restart_registrar(self) -> None:
        self._registrar.stop(0)
        self._registrar = serve(self.socket, SERVICE, self.introducing)

    def close(self) -> None:
        self._registrar.stop(0)
        self._driver.stop(0)
