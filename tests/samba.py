"""A real SMB server: Samba's smbd with a configuration, users and a port of its own."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests import leaks
from tests.running import until

HOST = "127.0.0.1"
ATTEMPTS = 5
DOMAIN = "WORKGROUP"
# Users that the host has; Samba knows none that it has not.
USER, OTHER = "games", "daemon"

CONFIGURATION = """\
[global]
  workgroup = {domain}
  server role = standalone server
  interfaces = lo
  bind interfaces only = yes
  smb ports = {port}
  disable netbios = yes
  private dir = {state}
  lock directory = {state}
  state directory = {state}
  cache directory = {state}
  pid directory = {state}
  ncalrpc dir = {state}/ncalrpc
  passdb backend = smbpasswd:{state}/smbpasswd
  log file = {state}/log
  load printers = no
  printing = bsd
  disable spoolss = yes
  server min protocol = SMB2
  server smb encrypt = {encrypt}
  map to guest = never
"""
SHARE = """\
[{name}]
  path = {files}
  read only = no
  force user = root
  valid users = {users}
"""


class Samba:
    """A server.  Users and shares are made as they are asked for."""

    def __init__(self, directory: Path, find: Callable[[str], str], *, encrypt: str = "desired") -> None:
        self._smbd, self._smbpasswd = find("smbd"), find("smbpasswd")
        self.directory = directory
        self._encrypt = encrypt
        self._state = directory / "state"
        self._state.mkdir(parents=True, mode=0o700)
        self._configuration = directory / "smb.conf"
        self._shares: dict[str, str] = {}
        self.passwords: dict[str, str] = {}
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    # --- life

    def start(self) -> None:
        """Run it, on a port that is free; from the second time on at the same port."""
        for _ in range(ATTEMPTS):
            self.port = self.port or _free_port()
            self._configure()
            # It dies with this process, however that ends.
            command = ["setpriv", "--pdeathsig", "KILL", self._smbd, "-F", "--no-process-group"]
            with open(self.directory / "out", "ab") as out:
                self._process = subprocess.Popen(
                    [*command, "-s", str(self._configuration), "-l", str(self._state)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    start_new_session=True,
                )
            until(lambda: self._answers() or self._process.poll() is not None)
            if self._process.poll() is None:
                return
            self.port = 0
        raise AssertionError((self.directory / "out").read_text())

    def stop(self) -> None:
        """End it, with every session."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.stop()
        leaks.search(self.directory)
        shutil.rmtree(self.directory)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    # --- contents

    def user(self, name: str = USER) -> str:
        """Let a user of the host log on with a password of its own; the name with its domain."""
        if name not in self.passwords:
            self.set_password(name, leaks.draw())
        return rf"{DOMAIN}\{name}"

    def set_password(self, name: str, password: str) -> None:
        self.passwords[name] = password
        subprocess.run(
            [self._smbpasswd, "-c", str(self._configuration), "-a", "-s", name],
            input=f"{password}\n{password}\n".encode(),
            check=True,
            capture_output=True,
        )

    def share(self, name: str = "data", *, users: str = f"{USER} {OTHER}") -> Path:
        """The directory of a share's files."""
        files = self.directory / "shares" / name
        if name not in self._shares:
            files.mkdir(parents=True)
            self._shares[name] = SHARE.format(name=name, files=files, users=users)
            self._configure()
            # Each session's process reads the configuration when it begins.
        return files

    def _configure(self) -> None:
        text = CONFIGURATION.format(
            domain=DOMAIN, port=self.port, state=self._state, encrypt=self._encrypt
        ) + "".join(self._shares.values())
        new = self.directory / "smb.conf.new"
        new.write_text(text)
        new.rename(self._configuration)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
