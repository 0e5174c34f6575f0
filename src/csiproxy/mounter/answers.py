"""What a failure says about a mount: refused, missing, or corrupted."""

from typing import Final

from csiproxy.errors import Code, CsiProxyError

_REFUSALS: Final = frozenset({Code.NOT_FOUND, Code.FAILED_PRECONDITION, Code.ALREADY_EXISTS, Code.UNKNOWN})
_CORRUPTED: Final = frozenset({53, 54, 59, 64, 65, 66, 67, 1219, 1326, 10064})
"""Windows codes of a mount whose other end is lost, as Kubernetes' IsCorruptedMnt has them."""


def is_refusal(error: CsiProxyError) -> bool:
    """Whether the node answered and said no, so that looking closer makes sense.

    The Go csi-proxy answers UNKNOWN whatever was wrong.  That nobody answers is another thing.
    """
    return error.code in _REFUSALS


def is_corrupted_mount(error: BaseException) -> bool:
    """Whether a failure means that a mount is there whose other end is lost: a share's server, most often.

    Takes the failures of calls, and OSErrors of a program that looked by itself.
    """
    if isinstance(error, CsiProxyError):
        return error.windows_code in _CORRUPTED
    return getattr(error, "winerror", None) in _CORRUPTED
