"""How a caller reaches an endpoint: the named pipes of Windows, or socket files in a directory."""

import sys

from csiproxy.api.endpoints import pipe_name, socket_path
from csiproxy.rpc.stream import ClientStream


def dial(directory: str, endpoint: str) -> ClientStream:
    """Connect to an endpoint: its pipe on Windows, elsewhere its socket file in ``directory``.  OSError."""
    if sys.platform == "win32":
        from csiproxy.rpc import pipe

        return pipe.connect(pipe_name(endpoint))
    else:  # noqa: RET505  mypy takes what follows for unreachable otherwise
        from csiproxy.rpc import unix

        return unix.connect(socket_path(directory, endpoint))
