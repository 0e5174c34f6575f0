"""libiscsi, an initiator in user space: its calls as this program needs them, none of which blocks for ever.

The library (https://github.com/sahlberg/libiscsi, LGPL-2.1-or-later) is loaded at the first use; Debian's
package is libiscsi7.  Its asynchronous calls are driven here by one poll with a deadline, because its own
synchronous ones know no deadline for a connection that nobody answers.
"""

import ctypes
import selectors
import threading
import time
from collections.abc import Callable
from ctypes import POINTER, Structure, c_char_p, c_int, c_size_t, c_ubyte, c_uint, c_uint32, c_void_p
from functools import cache
from typing import Any

LIBRARY = "libiscsi.so.7"
PACKAGE = "libiscsi7"

# enum iscsi_session_type, enum scsi_xfer_dir, enum scsi_status, SPC-4 table 43
_DISCOVERY, _NORMAL = 1, 2
_NO_DATA, _READ, _WRITE = 0, 1, 2
_GOOD, _CHECK_CONDITION = 0, 2
_LONGEST_CDB = 16
_POLLIN, _POLLOUT = 1, 4

_CALLBACK = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_void_p, c_void_p)


class LibiscsiMissing(Exception):
    """The library is not installed, or it is one that this program does not know."""


class LibiscsiError(Exception):
    """A call failed; the text is the library's own."""


class LinkLost(LibiscsiError):
    """The connection does not answer in time, or has ended; nothing more can be done with the context."""


class CheckCondition(LibiscsiError):
    """The unit refuses a command.  ``key`` is the sense key (SPC-4 table 43)."""

    def __init__(self, key: int, text: str) -> None:
        super().__init__(text)
        self.key = key


class _Sense(Structure):
    _fields_ = (
        ("error_type", c_ubyte),
        ("key", c_uint),
        ("ascq", c_int),
        ("specific", c_uint32),
    )


class _Data(Structure):
    _fields_ = (("size", c_int), ("data", POINTER(c_ubyte)))


class _Task(Structure):
    """The begin of struct scsi_task; the library makes and frees it."""

    _fields_ = (
        ("status", c_int),
        ("cdb_size", c_int),
        ("xfer_dir", c_int),
        ("expxferlen", c_int),
        ("cdb", c_ubyte * _LONGEST_CDB),
        ("residual_status", c_uint),
        ("residual", c_size_t),
        ("sense", _Sense),
        ("datain", _Data),
    )


class _DataOut(Structure):
    _fields_ = (("size", c_size_t), ("data", c_void_p))


class _Portal(Structure):
    pass


class _Address(Structure):
    pass


_Portal._fields_ = (("next", POINTER(_Portal)), ("portal", c_char_p))
_Address._fields_ = (("next", POINTER(_Address)), ("name", c_char_p), ("portals", POINTER(_Portal)))

_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "iscsi_create_context": (c_void_p, (c_char_p,)),
    "iscsi_destroy_context": (c_int, (c_void_p,)),
    "iscsi_get_error": (c_char_p, (c_void_p,)),
    "iscsi_get_fd": (c_int, (c_void_p,)),
    "iscsi_which_events": (c_int, (c_void_p,)),
    "iscsi_service": (c_int, (c_void_p, c_int)),
    "iscsi_set_noautoreconnect": (None, (c_void_p, c_int)),
    "iscsi_set_session_type": (c_int, (c_void_p, c_int)),
    "iscsi_set_targetname": (c_int, (c_void_p, c_char_p)),
    "iscsi_set_initiator_username_pwd": (c_int, (c_void_p, c_char_p, c_char_p)),
    "iscsi_set_target_username_pwd": (c_int, (c_void_p, c_char_p, c_char_p)),
    "iscsi_connect_async": (c_int, (c_void_p, c_char_p, _CALLBACK, c_void_p)),
    "iscsi_login_async": (c_int, (c_void_p, _CALLBACK, c_void_p)),
    "iscsi_logout_async": (c_int, (c_void_p, _CALLBACK, c_void_p)),
    "iscsi_discovery_async": (c_int, (c_void_p, _CALLBACK, c_void_p)),
    "iscsi_nop_out_async": (c_int, (c_void_p, _CALLBACK, c_char_p, c_int, c_void_p)),
    "iscsi_scsi_command_async": (
        c_int, (c_void_p, c_int, POINTER(_Task), _CALLBACK, POINTER(_DataOut), c_void_p),
    ),
    "scsi_create_task": (POINTER(_Task), (c_int, c_char_p, c_int, c_int)),
    "scsi_free_scsi_task": (None, (POINTER(_Task),)),
}  # fmt: skip


@cache
def load(name: str = LIBRARY) -> ctypes.CDLL:
    """The library; LibiscsiMissing says what to install."""
    try:
        library = ctypes.CDLL(name)
        for call, (result, parameters) in _SIGNATURES.items():
            function = getattr(library, call)
            function.restype, function.argtypes = result, parameters
    except (OSError, AttributeError) as error:
        raise LibiscsiMissing(
            f"iSCSI needs the library {name}: install the Debian package {PACKAGE} on the emulated node"
        ) from error
    return library


class Context:
    """One connection of an initiator, to one portal.  Safe to use from several threads, one call at a time.

    ``target`` empty makes it a discovery session.  Every call has its own time-out in seconds; after
    :class:`LinkLost` the context is of no use but to :meth:`close`.
    """

    def __init__(self, initiator: str, target: str = "") -> None:
        self._library = load()
        self._lock = threading.Lock()
        self._pending: list[object] = []  # what the library may still point to
        self._lost = False
        self._context = self._library.iscsi_create_context(initiator.encode())
        if not self._context:
            raise LibiscsiError("the library is out of memory")
        self._library.iscsi_set_noautoreconnect(self._context, 1)
        self._library.iscsi_set_session_type(self._context, _NORMAL if target else _DISCOVERY)
        if target:
            self._library.iscsi_set_targetname(self._context, target.encode())

    def authenticate(self, name: str, secret: str) -> None:
        """Answer the target's CHAP challenge with these at the login."""
        self._library.iscsi_set_initiator_username_pwd(self._context, name.encode(), secret.encode())

    def demand(self, name: str, secret: str) -> None:
        """Challenge the target at the login as well; it must have that name and that secret."""
        self._library.iscsi_set_target_username_pwd(self._context, name.encode(), secret.encode())

    def connect(self, portal: str, seconds: float) -> None:
        """Open the TCP connection to ``address:port``, whose address is a number; without it LinkLost."""
        try:
            self._run(self._library.iscsi_connect_async, (portal.encode(),), (), seconds)
        except LibiscsiError as error:  # here it is no target that refuses
            self._lost = True
            raise LinkLost(str(error)) from error

    def log_in(self, seconds: float) -> None:
        """Log in; what the target refuses is a LibiscsiError."""
        self._run(self._library.iscsi_login_async, (), (), seconds)

    def log_out(self, seconds: float) -> None:
        """Log out."""
        self._run(self._library.iscsi_logout_async, (), (), seconds)

    def ping(self, seconds: float) -> None:
        """Exchange a NOP with the target."""
        self._run(self._library.iscsi_nop_out_async, (), (b"ping", 4), seconds)

    def discover(self, seconds: float) -> list[tuple[str, list[str]]]:
        """SendTargets: the name of every target with its portals (``address:port,group``)."""
        found: list[tuple[str, list[str]]] = []

        def collect(answer: int) -> None:
            address: Any = ctypes.cast(answer, POINTER(_Address))
            while address:
                found.append((_decoded(address.contents.name), _portals(address.contents.portals)))
                address = address.contents.next

        self._run(self._library.iscsi_discovery_async, (), (), seconds, collect)
        return found

    def command(self, lun: int, cdb: bytes, seconds: float, *, expect: int = 0, data: bytes = b"") -> bytes:
        """Send a SCSI command, with ``data`` to write or up to ``expect`` bytes to read; what was read.

        CheckCondition when the unit refuses it.
        """
        direction, length = (_WRITE, len(data)) if data else (_READ, expect) if expect else (_NO_DATA, 0)
        task = self._library.scsi_create_task(len(cdb), cdb, direction, length)
        if not task:
            raise LibiscsiError("the library is out of memory")
        buffer = ctypes.create_string_buffer(data, len(data)) if data else None
        out = _DataOut(len(data), ctypes.cast(buffer, c_void_p)) if buffer else None
        try:
            self._run(
                lambda context, *rest: self._library.iscsi_scsi_command_async(context, lun, task, *rest),
                (),
                (ctypes.byref(out) if out else None,),
                seconds,
                failed=(_GOOD, _CHECK_CONDITION),
                keep=(buffer, out),
            )
        except LinkLost:
            # The library may still hold the task; it goes with the process.
            raise
        except LibiscsiError:
            self._library.scsi_free_scsi_task(task)
            raise
        try:
            if task.contents.status == _CHECK_CONDITION:
                raise CheckCondition(task.contents.sense.key, self._error() or "the unit refuses a command")
            given = task.contents.datain
            return ctypes.string_at(given.data, given.size) if given.data and given.size > 0 else b""
        finally:
            self._library.scsi_free_scsi_task(task)

    def close(self) -> None:
        """End the connection, whatever state it is in."""
        with self._lock:
            context, self._context = self._context, None
            if context:
                self._library.iscsi_destroy_context(context)
            self._pending.clear()

    def _run(
        self,
        start: Callable[..., int],
        before: tuple[object, ...],
        after: tuple[object, ...],
        seconds: float,
        collect: Callable[[int], None] | None = None,
        *,
        failed: tuple[int, ...] = (_GOOD,),
        keep: tuple[object, ...] = (),
    ) -> None:
        """Start one asynchronous call and drive it to its end."""
        deadline = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise LinkLost("the connection is busy with another command")
        try:
            if self._lost or not self._context:
                raise LinkLost("the connection has ended")
            ended: list[tuple[int, str]] = []

            def callback(_context: int, status: int, answer: int, _private: int) -> None:
                if collect and status == _GOOD and answer:
                    collect(answer)
                # Where the connection ends as well the library says something else afterwards.
                ended.append((status, self._error() if status != _GOOD else ""))

            kept = (_CALLBACK(callback), keep)
            self._pending.append(kept)
            try:
                if start(self._context, *before, kept[0], *after, None):
                    raise LinkLost(self._error() or "the library refuses the call")
                self._drive(ended, deadline)
            except LinkLost:
                self._lost = True
                raise
            self._pending.remove(kept)
            status, said = ended[0]
            if status not in failed:
                raise LibiscsiError(said or "the target has ended the connection")
        finally:
            self._lock.release()

    def _drive(self, ended: list[tuple[int, str]], deadline: float) -> None:
        """Serve the connection until the call has ended."""
        while not ended:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LinkLost("the target does not answer in time")
            descriptor = self._library.iscsi_get_fd(self._context)
            if descriptor < 0:
                raise LinkLost(self._error() or "the connection has ended")
            ready = _ready(descriptor, self._library.iscsi_which_events(self._context), left)
            if ready and self._library.iscsi_service(self._context, ready) < 0 and not ended:
                raise LinkLost(self._error() or "the connection has ended")

    def _error(self) -> str:
        return _decoded(self._library.iscsi_get_error(self._context)).strip()


def _ready(descriptor: int, events: int, seconds: float) -> int:
    """Wait for any of some poll(2) events; those that have come."""
    wanted = (selectors.EVENT_READ if events & _POLLIN else 0) | (
        selectors.EVENT_WRITE if events & _POLLOUT else 0
    )
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, wanted or selectors.EVENT_READ)
        found = sum(came for _, came in selector.select(seconds))
    return (_POLLIN if found & selectors.EVENT_READ else 0) | (
        _POLLOUT if found & selectors.EVENT_WRITE else 0
    )


def _portals(portal: Any) -> list[str]:  # a ctypes pointer, whose type mypy cannot name
    found = []
    while portal:
        found.append(_decoded(portal.contents.portal))
        portal = portal.contents.next
    return found


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")
