"""A real iSCSI target (tgt) on a loopback port of its own, with a private control socket."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 30.0
MIB = 1 << 20
USER, SECRET = "node", "secret-of-node"
TARGET_USER, TARGET_SECRET = "target", "target-secret-1"
WRONG = "wrong-secret-00"


class TargetServer:
    """tgtd with what it offers.  ``foreign`` finds its programs.

    It can be stopped, killed, frozen and started again; targets and LUNs come back as they were.
    """

    def __init__(self, directory: Path, foreign: Callable[[str], str]) -> None:
        self.directory = directory
        self._tgtadm = foreign("tgtadm")
        # It ends with the tests, however they end.
        self._tgtd = [foreign("setpriv"), "--pdeathsig", "KILL", foreign("tgtd")]
        directory.mkdir(parents=True, exist_ok=True)
        # Names of sockets are short, those of test directories are not: the control socket is relative.
        self._environment = {**os.environ, "TGT_IPC_SOCKET": "control"}
        self._process: subprocess.Popen[bytes] | None = None
        self._targets: list[list[list[str]]] = []
        self.port = free_port()
        while not self._started():  # somebody was faster with that port
            self.kill()
            self.port = free_port()

    @property
    def address(self) -> str:
        return "127.0.0.1"

    def start(self) -> None:
        """Start it again, on the port that it had."""
        assert self._started(), (self.directory / "log").read_text()

    def _started(self) -> bool:
        """Start it and make what it offers; False when its port is somebody else's."""
        command = [*self._tgtd, "-f", "-C", "1", "--iscsi", f"portal={self.address}:{self.port}"]
        with open(self.directory / "log", "wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._until(lambda: not self._run("--mode", "sys", "--op", "show").returncode)
        if "bind to portal" in (self.directory / "log").read_text():
            return False
        self._until(self._answers)
        self._make_accounts()
        for commands in self._targets:
            for command in commands:
                self._admin(*command)
        return True

    def offer(self, name: str = "disk", size: int = 64 * MIB, *, chap: str = "", luns: int = 1) -> str:
        """Offer a target with LUNs 1 to ``luns``; its IQN.  ``chap`` is "", "one-way" or "mutual"."""
        iqn = f"iqn.2026-01.test.csiproxy:{name}"
        tid = str(len(self._targets) + 1)
        commands = [["--mode", "target", "--op", "new", "--tid", tid, "-T", iqn]]
        for lun in range(1, luns + 1):
            image = self.image(name, lun)
            with open(image, "ab") as file:
                file.truncate(size)
            unit = ["--tid", tid, "--lun", str(lun)]
            commands.append(["--mode", "logicalunit", "--op", "new", *unit, "-b", str(image)])
            # tgt makes identifiers up from numbers alone, which are the same on every server.
            commands.append(
                ["--mode", "logicalunit", "--op", "update", *unit, "--params", f"scsi_sn={name}{lun}"]
            )
        commands.append(["--mode", "target", "--op", "bind", "--tid", tid, "-I", "ALL"])
        if chap:
            commands.append(["--mode", "account", "--op", "bind", "--tid", tid, "--user", USER])
        if chap == "mutual":
            commands.append(
                ["--mode", "account", "--op", "bind", "--tid", tid, "--user", TARGET_USER, "--outgoing"]
            )
        self._targets.append(commands)
        for command in commands:
            self._admin(*command)
        return iqn

    def add_lun(self, name: str, lun: int, size: int = 64 * MIB) -> None:
        """Give a target that is offered one LUN more."""
        tid = self._tid(name)
        with open(self.image(name, lun), "ab") as file:
            file.truncate(size)
        command = ["--mode", "logicalunit", "--op", "new", "--tid", str(tid), "--lun", str(lun)]
        command += ["-b", str(self.image(name, lun))]
        self._targets[tid - 1].append(command)
        self._admin(*command)

    def remove_lun(self, name: str, lun: int) -> None:
        tid = self._tid(name)
        self._admin("--mode", "logicalunit", "--op", "delete", "--tid", str(tid), "--lun", str(lun))

    def protect(self, name: str, lun: int) -> None:
        """Let a LUN refuse writes."""
        tid = str(self._tid(name))
        self._admin(
            "--mode",
            "logicalunit",
            "--op",
            "update",
            "--tid",
            tid,
            "--lun",
            str(lun),
            "--params",
            "readonly=1",
        )

    def demand_chap_of_discovery(self) -> None:
        """Let nobody ask for the targets who does not prove who it is."""
        self._admin("--mode", "account", "--op", "bind", "--user", USER)

    def image(self, name: str = "disk", lun: int = 1) -> Path:
        """The file that a LUN's sectors are in."""
        return self.directory / f"{name}-{lun}.img"

    def sessions(self, iqn: str) -> int:
        """How many initiators are logged in to a target, as the target sees it."""
        shown = self._run("--mode", "target", "--op", "show").stdout.decode()
        found, inside = 0, False
        for line in shown.splitlines():
            if line.startswith("Target "):
                inside = line.endswith(" " + iqn)
            found += inside and line.strip().startswith("I_T nexus:")
        return found

    # --- trouble

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process:
            os.killpg(self._process.pid, signal.SIGCONT)
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            for left in self.directory.glob("control*"):
                left.unlink()

    def freeze(self) -> None:
        """Let it take what is sent and answer nothing."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    close = kill

    # --- inside

    def _tid(self, name: str) -> int:
        [tid] = [at for at, commands in enumerate(self._targets, 1) if commands[0][-1].endswith(":" + name)]
        return tid

    def _make_accounts(self) -> None:
        for user, secret in ((USER, SECRET), (TARGET_USER, TARGET_SECRET)):
            self._admin("--mode", "account", "--op", "new", "--user", user, "--password", secret)

    def _admin(self, *arguments: str) -> None:
        done = self._run(*arguments)
        assert not done.returncode, (arguments, done.stderr)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [self._tgtadm, "-C", "1", "--lld", "iscsi", *arguments]
        return subprocess.run(
            command, cwd=self.directory, env=self._environment, capture_output=True, timeout=SECONDS
        )

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address, self.port), 1.0).close()
        except OSError:
            return False
        return True

    def _until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not condition():
            assert self._process.poll() is None, (self.directory / "log").read_text()
            assert time.monotonic() < end, (self.directory / "log").read_text()
            time.sleep(0.01)


def free_port() -> int:
    """A TCP port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
