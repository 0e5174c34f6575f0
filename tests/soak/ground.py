"""The node that pods live on, the proxy that serves it, and the servers that some of their volumes are on."""

import os
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.emulator.nodes import NodeDirectory
from tests.iscsi_target import TargetServer
from tests.samba import HOST, USER, Samba
from tests.soak.client import Client, Tally
from tests.soak.keeper import ProxyKeeper
from tests.soak.plan import Store

from csiproxy.emulator.faults import Fault
from csiproxy.errors import HostError

Finder = Callable[[str], str]

# Everything that a driver, or an operator who mends, calls.
CONTRACTS = (
    "disk/v1",
    "disk/v1beta2",
    "volume/v1",
    "volume/v1beta2",
    "volume/v2alpha1",
    "filesystem/v1",
    "filesystem/v1beta1",
    "filesystem/v2alpha1",
    "csi-proxy/v1beta1",
    "smb/v1",
    "iscsi/v1alpha2",
    "system/v1alpha1",
)
# How long a driver waits for a reply (seconds); servers that are away take longer to say so.
_SECONDS = {Store.DIRECTORY: 5.0, Store.IMAGE: 15.0, Store.SMB: 30.0, Store.ISCSI: 30.0}
SERVER = "files"
SHARE = "data"


class Ground:
    """A node with one store below ``directory``; ``find`` gives the path of a foreign program."""

    def __init__(self, directory: Path, store: Store, workers: int, find: Finder) -> None:
        self.directory, self.store = directory, store
        self.tally = Tally()
        self.counts: Counter[str] = Counter()
        self._guard = threading.Lock()
        self.samba: Samba | None = None
        self.target: TargetServer | None = None
        # Samba dies with the thread that has started it, so that is one which lives as long as all this.
        self._room = ThreadPoolExecutor(1, "servers")
        self.iqns: list[str] = []
        self.node = NodeDirectory(str(directory / "node"))
        self._node_process = self._start_node()
        self.control = self.node.control()
        self.keeper = ProxyKeeper(directory, self.node.path, CONTRACTS)
        try:
            if store is Store.SMB:
                self._room.submit(self._serve_files, find).result()
            elif store is Store.ISCSI:
                self._room.submit(self._serve_disks, workers, find).result()
        except BaseException:
            self.close()
            raise

    def _start_node(self) -> subprocess.Popen[bytes]:
        command = [*ProxyKeeper.LAUNCHER, "emulator", "run", "--state", self.node.path]
        if self.store is Store.IMAGE:
            command += ["--volumes", "image"]
        if self.store is Store.SMB:
            command += ["--smb-files", "fuse"]
        ready, told = os.pipe()
        with open(self.directory / "node.log", "ab") as log:
            process = subprocess.Popen(
                [*command, "--ready-fd", str(told)],
                pass_fds=[told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        os.close(told)
        with os.fdopen(ready, "rb") as reader:
            if reader.read() != b"READY\n":
                raise AssertionError((self.directory / "node.log").read_text())
        return process

    def _serve_files(self, find: Finder) -> None:
        find("fusermount3")
        self.samba = Samba(self.directory / "samba", find)
        self.samba.user()
        self.samba.share(SHARE)
        self.control.set_smb_server(SERVER, HOST, self.samba.port)

    def _serve_disks(self, workers: int, find: Finder) -> None:
        self.target = TargetServer(self.directory / "target", find)
        self.iqns = [self.target.offer(f"w{at}") for at in range(workers)]
        client = self.client()
        client("system/v1alpha1", "StartService", name="MSiSCSI")
        client.close()

    @property
    def processes(self) -> tuple[int, int]:
        """Of the node and of the proxy that runs now."""
        return self._node_process.pid, self.keeper.process

    @property
    def login(self) -> dict[str, str]:
        """Who opens the share."""
        return {"username": self.samba.user(), "password": self.samba.passwords[USER]}

    def client(self) -> Client:
        return Client(
            self.keeper.endpoints,
            self.tally,
            lambda: self.keeper.serial,
            _SECONDS[self.store],
            outages=self.store is Store.ISCSI,
        )

    def on_host(self, path: str) -> Path:
        r"""The host path of ``C:\…``."""
        return Path(self.node.path, "c", *path.split("\\")[1:])

    # --- trouble

    def count(self, what: str, times: int = 1) -> None:
        with self._guard:
            self.counts[what] += times

    def order(self, fault: Fault) -> None:
        self.control.order(fault)
        self.count("ordered")

    def clear_faults(self) -> None:
        """Let what hangs go on; what has not happened will not."""
        left = len(self.control.faults())
        self.control.clear_faults()
        self.count("called off", left)

    def restart_server(self) -> None:
        """End the server of shares or targets as a crash does, and start it again."""
        self._room.submit(self._restart).result()
        self.count("restarts")

    def _restart(self) -> None:
        if self.samba:
            self.samba.stop()
            self.samba.start()
            self.control.set_smb_server(SERVER, HOST, self.samba.port)  # it may have had to take another port
        elif self.target:
            self.target.kill()
            self.target.start()

    def close(self) -> list[str]:
        """Stop everything; what went wrong with that."""
        problems = []
        if (ended := self.keeper.close()) != 0:
            problems.append(f"the proxy ended with {ended}")
        try:
            self.control.stop()
        except HostError as error:
            problems.append(f"the node does not stop: {error}")
            self._node_process.kill()
        if (ended := self._node_process.wait()) != 0:
            problems.append(f"the node ended with {ended}")
        self.control.close()
        for server in (self.samba, self.target):
            if server:
                server.stop() if isinstance(server, Samba) else server.close()
        self._room.shutdown()
        return problems
