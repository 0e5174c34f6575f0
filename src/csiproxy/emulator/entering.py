"""A host port on an emulated node through its entrance, as programs use it that have no unix sockets."""

from csiproxy.emulator import tcp
from csiproxy.emulator.pool import Pool
from csiproxy.emulator.remote import RemoteSession
from csiproxy.emulator.remote_win32 import RemoteWin32
from csiproxy.host import Host


def enter(file: str) -> Host:
    """The port through the entrance that a token file is of.  HostUnreachable when no node answers there."""
    pool = Pool(lambda: tcp.dial(file))
    pool.greeting()
    return Host(RemoteSession(pool), RemoteWin32(pool, pool.another))
