"""Endpoints are reached where they are served."""

import pytest

from csiproxy.api.endpoints import socket_path
from csiproxy.dialing import dial
from csiproxy.rpc.unix import UnixListener


def test_the_socket_file_of_an_endpoint_is_connected_to(tmp_path):
    listener = UnixListener(socket_path(str(tmp_path), "csi-proxy-disk-v1"), "csi-proxy-disk-v1")
    stream = dial(str(tmp_path), "csi-proxy-disk-v1")
    listener.accept().close()
    stream.close()
    listener.close()


def test_where_nobody_serves_it_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        dial(str(tmp_path), "csi-proxy-disk-v1")
