r"""Where an endpoint is found: the pipe of a Windows node, the socket file of any other.

Both spellings stand here alone; server and client take them from here.
"""

import os

PIPE_PREFIX = "\\\\.\\pipe\\"
SOCKET_SUFFIX = ".sock"


def pipe_name(endpoint: str) -> str:
    r"""Return the named pipe of an endpoint: ``csi-proxy-disk-v1`` -> ``\\.\pipe\csi-proxy-disk-v1``."""
    return PIPE_PREFIX + endpoint


def socket_path(directory: str, endpoint: str) -> str:
    """Return the socket file of an endpoint in a directory of sockets: ``DIR/csi-proxy-disk-v1.sock``."""
    return os.path.join(directory, endpoint + SOCKET_SUFFIX)
