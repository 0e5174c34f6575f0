"""The plugin watcher: a directory, two worlds and a reconciler put together."""

from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final

from csiproxy.csi import address
from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.csi.calling import Caller
from csiproxy.kubelet.directory import SocketDirectory
from csiproxy.kubelet.paths import Drive
from csiproxy.kubelet.reconciler import FIRST_PAUSE, Reconciler
from csiproxy.kubelet.registration import Handler, Registrar
from csiproxy.kubelet.worlds import ActualWorld, DesiredWorld, Plugin, Wanted

LOOK_SECONDS: Final = 60.0
"""How often the directory is looked through without being told to: a queue of notifications can overflow."""


class PluginWatcher:
    r"""Finds plugins by their sockets in a directory and keeps them registered as long as the sockets are
    there.

    ``directory`` is a Windows path (``C:\var\lib\kubelet\plugins_registry``) on ``drive``; ``handlers`` take
    plugins by their type (``CSIPlugin``).  ``failed`` hears of operations that failed and will be tried
    again.
    """

    def __init__(
        self,
        directory: str,
        drive: Drive,
        handlers: Mapping[str, Handler],
        failed: Callable[[Wanted, Exception], None] = lambda socket, error: None,  # noqa: ARG005
        *,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._drive = drive
        self._desired = DesiredWorld()
        self._actual = ActualWorld()
        registrar = Registrar(self._actual, handlers, self._dial)
        self._reconciler = Reconciler(self._desired, self._actual, registrar, failed, first_pause)
        self._directory = SocketDirectory(drive.on_host(directory), self._appeared, self._vanished)
        self._over = Event()
        self._looker = Thread(target=self._look_now_and_then, name="plugin-look", daemon=True)

    def start(self) -> None:
        """Watch, and register what is there already; OSError when the directory cannot be watched."""
        self._directory.start()
        self._look()
        self._reconciler.start()
        self._looker.start()

    def stop(self) -> None:
        """Watch no more.  Plugins stay as they are, as they do when kubelet ends."""
        self._over.set()
        self._directory.stop()
        self._looker.join()
        self._reconciler.stop()

    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that are registered now."""
        return tuple(self._actual.snapshot().values())

    def _appeared(self, path: str) -> None:
        self._desired.add(self._drive.windows(path))
        self._reconciler.wake()

    def _vanished(self, path: str) -> None:
        if self._desired.remove(self._drive.windows(path)):
            self._reconciler.wake()

    def _look(self) -> None:
        before = self._desired.snapshot()
        found = [self._drive.windows(path) for path in self._directory.sockets()]
        if self._desired.agree(before, found):
            self._reconciler.wake()

    def _look_now_and_then(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _dial(self, path: str) -> Caller:
        return Caller(address.channel(self._drive.on_host(path)), wire.DESCRIPTOR)
