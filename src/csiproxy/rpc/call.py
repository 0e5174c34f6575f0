"""One call as its handler sees it."""

from collections.abc import Callable
from threading import Lock
from typing import Final

from csiproxy.rpc.stream import Peer

_cancelling: Final = Lock()
"""Guards every call's callbacks; held for a few instructions, and only by calls that have any."""


class Call:
    """One unary call that is being served.

    ``endpoint`` is the name of the listener it came through, ``method`` the full one
    (``/v1.Disk/Rescan``), ``message`` the request's bytes, ``deadline`` on the clock of
    :func:`time.monotonic` or None.
    """

    __slots__ = ("_callbacks", "_cancelled", "deadline", "endpoint", "message", "method", "peer")

    def __init__(
        self, endpoint: str, method: str, message: bytes, peer: Peer, deadline: float | None = None
    ) -> None:
        self.endpoint = endpoint
        self.method = method
        self.message = message
        self.peer = peer
        self.deadline = deadline
        self._cancelled = False
        self._callbacks: list[Callable[[], None]] = []

    def cancelled(self) -> bool:
        """Tell whether nobody waits for the reply any more: reset, hung up, too late, or server stopped."""
        return self._cancelled

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called when the call is cancelled; at once when it is already.

        It runs in another thread, which serves everybody: it must not block.  It is not called after the
        handler has returned, but may still be running then.  What it raises is dropped.
        """
        with _cancelling:
            if not self._cancelled:
                self._callbacks.append(callback)
                return
        callback()

    def cancel(self) -> None:
        """Mark the call as cancelled and call what wants to know.  Harmless when repeated."""
        with _cancelling:
            self._cancelled = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback()
            except Exception:  # noqa: BLE001, S112  the thread serves everybody, whatever one handler left here
                continue

    def finish(self) -> None:
        """The handler has returned: nothing wants to know of a cancellation any more."""
        if self._callbacks:
            with _cancelling:
                self._callbacks = []


Handler = Callable[[Call], bytes]
"""Serves a call: blocks, gives the reply's message or raises :class:`csiproxy.rpc.status.RpcError`.  What
else it raises becomes INTERNAL, without its text."""
