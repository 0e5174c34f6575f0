"""Copies for the logs of a Linux system: journald and syslog, each a datagram a record."""

import errno
import fcntl
import os
import socket
import sys
import time
from collections.abc import Mapping
from typing import Final

from csiproxy.audit.copies import Entry, Level

assert sys.platform != "win32"  # noqa: S101  mypy stops here for Windows, where this is never imported

_PRIORITY: Final[Mapping[Level, int]] = {Level.INFO: 6, Level.WARNING: 4, Level.ERROR: 3}
"""syslog(3): informational, warning, error."""
_FACILITY: Final = 10 << 3
"""LOG_AUTHPRIV: security messages that not everybody may read."""
_TAG: Final = "csi-proxy"
_TOO_LARGE: Final = (errno.EMSGSIZE, errno.ENOBUFS)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Datagrams:
    """A socket to a log, connected when something is to be said and anew after a failure; never waits."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                made.setblocking(False)
                made.connect(self._path)
            except BaseException:
                made.close()
                raise
            self._socket = made
        return self._socket

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Journald(_Datagrams):
    """journald's own protocol: https://systemd.io/JOURNAL_NATIVE_PROTOCOL/."""

    def __init__(self, path: str = "/run/systemd/journal/socket") -> None:
        super().__init__(path)

    def write(self, entry: Entry) -> None:
        """See :class:`~csiproxy.audit.copies.CopySink`.

        A record that is larger than a datagram goes as a sealed file in memory.
        """
        fields = {
            "MESSAGE": entry.text,
            "PRIORITY": str(_PRIORITY[entry.level]),
            "SYSLOG_IDENTIFIER": _TAG,
            "SYSLOG_FACILITY": str(_FACILITY >> 3),
            "CSI_PROXY_RECORD": entry.name.replace("\n", " "),
        }
        data = "".join(f"{name}={value}\n" for name, value in fields.items()).encode()
        try:
            try:
                self._connected().send(data)
            except OSError as error:
                if error.errno not in _TOO_LARGE:
                    raise
                self._send_as_file(data)
        except BlockingIOError:
            raise  # its queue is full; the connection is good
        except OSError:
            self.close()
            raise

    def _send_as_file(self, data: bytes) -> None:
        descriptor = os.memfd_create("csi-proxy-record", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.write(descriptor, data)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
            socket.send_fds(self._connected(), [b""], [descriptor])
        finally:
            os.close(descriptor)


class Syslog(_Datagrams):
    """A local syslog daemon, in the form that syslog(3) gives messages."""

    def __init__(self, path: str = "/dev/log") -> None:
        super().__init__(path)

    def write(self, entry: Entry) -> None:
        """See :class:`~csiproxy.audit.copies.CopySink`.  Daemons cut long messages: rsyslog after 8 KiB."""
        now = time.localtime()
        stamp = f"{_MONTHS[now.tm_mon - 1]} {now.tm_mday:2} {time.strftime('%H:%M:%S', now)}"
        head = f"<{_FACILITY | _PRIORITY[entry.level]}>{stamp} {_TAG}[{os.getpid()}]: "
        try:
            self._connected().send((head + entry.text).encode())
        except BlockingIOError:
            raise
        except OSError:
            self.close()
            raise
