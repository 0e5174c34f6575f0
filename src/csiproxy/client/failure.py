"""A call's failure as one of the classes of :mod:`csiproxy.errors`, whoever served it.

Our own server tells the Windows code in ``grpc-status-details-bin``.  Of a server that does not (the Go
csi-proxy answers UNKNOWN and a text), an error has the Windows code that fits its class.
"""

from collections.abc import Mapping

from csiproxy import errors
from csiproxy.api import status_details
from csiproxy.errors import Code, CsiProxyError
from csiproxy.rpc.status import RpcError
from csiproxy.win32_codes import WIN32

_CLASSES: Mapping[Code, type[CsiProxyError]] = {
    Code.CANCELLED: errors.Cancelled,
    Code.UNKNOWN: CsiProxyError,
    Code.INVALID_ARGUMENT: errors.InvalidArgument,
    Code.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    Code.NOT_FOUND: errors.NotFound,
    Code.ALREADY_EXISTS: errors.AlreadyExists,
    Code.PERMISSION_DENIED: errors.PermissionDenied,
    Code.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
    Code.FAILED_PRECONDITION: errors.FailedPrecondition,
    Code.ABORTED: errors.Aborted,
    Code.OUT_OF_RANGE: errors.OutOfRange,
    Code.UNIMPLEMENTED: errors.Unimplemented,
    Code.INTERNAL: errors.Internal,
    Code.UNAVAILABLE: errors.Unavailable,
    Code.DATA_LOSS: errors.DataLoss,
    Code.UNAUTHENTICATED: errors.PermissionDenied,
}


def from_status(error: RpcError) -> CsiProxyError:
    """The failure that a gRPC status says; its Windows code where the status carries one."""
    found = _CLASSES.get(error.code, CsiProxyError)
    details = status_details.decode(error.details) if error.details else None
    if details is None or details.domain != status_details.DOMAIN:
        return found(error.message)
    return found(details.message or error.message, details.windows_code, origin=details.origin)


def from_windows_code(error_code: int) -> CsiProxyError:
    """The failure that CSIProxyService's ``error_code`` says, a Win32 code in a signed field."""
    code = error_code & 0xFFFFFFFF
    found, text = WIN32.get(code, (errors.Internal, "the node failed"))
    name = status_details.windows_name(code)
    return found(f"{text} (Windows error {code}{' ' if name else ''}{name})", code)


def from_text(text: str) -> CsiProxyError:
    """The failure that a reply of an early version says in its ``error`` text."""
    return CsiProxyError(text)
