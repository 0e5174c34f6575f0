r"""Addresses of CSI sockets, as flags and environment variables spell them, and the sockets behind them.

``unix:///csi/csi.sock``, ``unix:/csi/csi.sock``, ``unix://C:\csi\csi.sock`` and the bare path are the same
kind of thing.  TCP is refused: whoever reaches a plugin may mount and unmount, and a socket's file has
permissions.
"""

import os
import sys

from csiproxy.errors import InvalidArgument, Unimplemented
from csiproxy.rpc.channel import Channel
from csiproxy.rpc.limits import Limits
from csiproxy.rpc.stream import ClientStream, Listener

_SCHEME = "unix:"


def socket_path(address: str) -> str:
    """Return the path in an address; InvalidArgument when it is none of a unix socket."""
    path = address
    if address.startswith(_SCHEME):
        path = address[len(_SCHEME) :]
        if path.startswith("//"):
            path = path[2:]
    elif "://" in address:
        path = ""
    if not path or "\0" in path:
        raise InvalidArgument(f"'{address}' is no address of a unix socket: write unix:///csi/csi.sock")
    return path


def listen(path: str, name: str) -> Listener:
    """Listen at a socket file; OSError when that cannot be, EndpointInUse where a live server is.

    The directory is made when it is missing.  A socket that a dead server left is replaced.
    """
    if sys.platform == "win32":
        raise Unimplemented("this release serves no unix sockets on Windows; run it where there are some")
    else:  # noqa: RET506  mypy takes what follows for unreachable otherwise
        from csiproxy.rpc.unix import UnixListener

        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        return UnixListener(path, name)


def dial(path: str) -> ClientStream:
    """Connect to a socket file; OSError when nobody answers there."""
    if sys.platform == "win32":
        raise OSError("this release has no client for unix sockets on Windows")
    else:  # noqa: RET506  mypy takes what follows for unreachable otherwise
        from csiproxy.rpc.unix import connect

        return connect(path)


def channel(path: str, limits: Limits | None = None) -> Channel:
    """A channel to a socket file; it connects when it is first used, and again after its server died."""
    return Channel(lambda: dial(path), limits=limits or Limits())
