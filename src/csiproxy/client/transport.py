"""The way from a caller to a node's endpoints."""

from typing import Protocol


class Transport(Protocol):
    """Carries calls to the endpoints of one node; threads share it."""

    @property
    def where(self) -> str:
        """The place in words: ``in /tmp/node/endpoints``."""
        ...

    def reaches(self, endpoint: str) -> bool:
        """Whether somebody serves an endpoint (``csi-proxy-disk-v1``).

        Raises PermissionDenied where somebody does and this process may not connect.
        """
        ...

    def call(self, endpoint: str, method: str, message: bytes, timeout: float) -> bytes:
        """Call ``method`` (``/v1.Disk/Rescan``) and give the reply's message; RpcError within ``timeout``
        seconds otherwise.

        Unprocessed is the RpcError of a call that no server has looked at.
        """
        ...

    def close(self) -> None:
        """Give up every connection.  Calls that go on end as they would; later ones are a RuntimeError."""
        ...
