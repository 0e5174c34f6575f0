"""Where ``serve`` opens its endpoints: socket files in a directory, or the named pipes of Windows."""

import os
import stat
import sys
from typing import Protocol

from csiproxy.api.endpoints import pipe_name, socket_path
from csiproxy.api.versions import Contract
from csiproxy.rpc.stream import Listener


class Unusable(Exception):
    """Endpoints cannot be opened as the operator wants them; the text says which flag to change."""


class Place(Protocol):
    """Where endpoints are; ``where`` is how people are told."""

    @property
    def where(self) -> str:
        """The place in words: ``in /tmp/node/endpoints``."""
        ...

    def prepare(self) -> None:
        """Make the place, or raise Unusable."""
        ...

    def open(self, contract: Contract) -> Listener:
        """Listen at a contract's endpoint.  Raise EndpointInUse, or another OSError."""
        ...


def place(directory: str, pipe_sddl: str) -> Place:
    """This system's place; ``directory`` is for socket files, ``pipe_sddl`` for pipes ("": the default)."""
    return Pipes(pipe_sddl) if sys.platform == "win32" else SocketDirectory(directory)


class SocketDirectory:
    """Socket files in a directory that nobody else can write to."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def where(self) -> str:
        """The directory."""
        return f"in {self._path}"

    def prepare(self) -> None:
        """Make the directory, or see that nobody else can put files of their own there."""
        try:
            os.makedirs(self._path, mode=0o700, exist_ok=True)
            found = os.stat(self._path)
        except OSError as error:
            raise Unusable(
                f"--endpoints {self._path} cannot be made ({error.strerror}): "
                "name a directory that you may write to"
            ) from error
        if sys.platform != "win32" and (
            found.st_uid not in (os.geteuid(), 0) or found.st_mode & stat.S_IWOTH
        ):
            raise Unusable(
                f"--endpoints {self._path} can be written to by others, who could pose as csi-proxy there: "
                "name a directory of your own"
            )

    def open(self, contract: Contract) -> Listener:
        """Listen at the contract's socket file."""
        if sys.platform == "win32":
            raise OSError("this system has no socket files; endpoints are named pipes")
        else:  # noqa: RET506  mypy for Windows must not read on
            from csiproxy.rpc.unix import UnixListener

            return UnixListener(socket_path(self._path, contract.endpoint), contract.endpoint)


class Pipes:
    """Named pipes; ``sddl`` says who may connect, "" for the system and administrators."""

    def __init__(self, sddl: str) -> None:
        self._sddl = sddl

    @property
    def where(self) -> str:
        """Where all pipes are."""
        return "on named pipes"

    def prepare(self) -> None:
        """See whether the security descriptor is one."""
        if sys.platform == "win32":
            from csiproxy.rpc.pipe_listener import SDDL, SecurityDescriptor

            try:
                self._security = SecurityDescriptor(self._sddl or SDDL)
            except ValueError as error:
                raise Unusable(f"--pipe-sddl: {error}") from error

    def open(self, contract: Contract) -> Listener:
        """Listen at the contract's pipe."""
        if sys.platform == "win32":
            from csiproxy.rpc.pipe_listener import PipeListener

            return PipeListener(pipe_name(contract.endpoint), contract.endpoint, self._security)
        else:  # noqa: RET505  mypy tells platforms apart by branches only
            raise OSError("this system has no named pipes; endpoints are socket files")
