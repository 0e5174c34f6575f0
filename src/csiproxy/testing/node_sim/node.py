"""A node of the play: an emulated machine with csi-proxy, plugin, registrar and kubelet."""

import os
from typing import Final, Self

from csiproxy.kubelet.paths import Drive, join
from csiproxy.testing.node import Node as Machine
from csiproxy.testing.node_sim.kubelet import REGISTRY, Kubelet, plugin_directory
from csiproxy.testing.node_sim.retrying import Backoff
from csiproxy.testing.node_sim.supervision import Supervised

SOCKET: Final = "csi.sock"


class SimulatedNode:
    """Everything of one node; leaving the context ends it.

    ``directory`` must have a short path: the plugin's sockets are on the node's drive C:, as on Windows.
    """

    def __init__(self, name: str, directory: str, images: str, driver: str, backoff: Backoff) -> None:
        self.name = name
        self.driver = driver
        self.machine = Machine(directory, images=images)
        self.drive = Drive(str(self.machine.path("C:\\")))
        self._socket = join(plugin_directory(driver), SOCKET)
        self._directory = directory
        self._opened = False
        try:
            self.plugin = Supervised("node plugin", self._plugin_arguments(), self._log("plugin"))
            self.registrar = Supervised("registrar", self._registrar_arguments(), self._log("registrar"))
            self.kubelet = Kubelet(self.drive, backoff)
        except BaseException:
            self.close()
            raise

    @property
    def state(self) -> str:
        """The directory of the emulated machine's state."""
        return str(self.machine.directory / "node")

    def restart_machine(self) -> None:
        """A power failure, and the machine comes up again."""
        self.machine.kill_node()
        self.machine.start()

    def restart_proxy(self) -> None:
        """``kill -9`` csi-proxy; Windows starts it again."""
        self.machine.kill_proxy()
        self.machine.start()

    def restart_kubelet(self) -> None:
        """Kubelet ends, and comes up with nothing in memory."""
        self.kubelet.stop()
        self.kubelet.start()

    def close(self) -> None:
        """End everything; what was written stays."""
        kubelet = getattr(self, "kubelet", None)
        if kubelet is not None:
            kubelet.stop()
        for program in (getattr(self, "registrar", None), getattr(self, "plugin", None)):
            if program is not None:
                program.close()
        self.machine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _plugin_arguments(self) -> tuple[str, ...]:
        socket = self.drive.on_host(self._socket)
        os.makedirs(os.path.dirname(socket), exist_ok=True)
        return (
            "node-plugin",
            f"--endpoint=unix://{socket}",
            f"--driver-name={self.driver}",
            f"--node-id={self.name}",
            f"--proxy-endpoints={self.machine.endpoints}",
            f"--drive-c={self.drive.directory}",
        )

    def _registrar_arguments(self) -> tuple[str, ...]:
        registry = self.drive.on_host(REGISTRY)
        os.makedirs(registry, exist_ok=True)
        return (
            "registrar",
            f"--csi-address=unix://{self.drive.on_host(self._socket)}",
            f"--kubelet-registration-path={self._socket}",
            f"--plugin-registration-path={registry}",
            "--timeout=30s",
        )

    def _log(self, name: str) -> str:
        return os.path.join(self._directory, f"{name}.log")
