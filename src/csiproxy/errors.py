"""What can go wrong, one class per thing a caller can act on.

An error carries three views of the same failure: its class (what to do about it), the gRPC status that
goes to a client of the API groups, and the Windows code that goes to a client of CSIProxyService and
into the audit record.  Foreign failures arrive as :class:`HostError` and are turned into one of the
classes below in one place, ``storage/codes.py``; only there is it decided what a foreign code means.
"""

from enum import IntEnum
from typing import ClassVar


class Code(IntEnum):
    """gRPC status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html)."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class WindowsCode(IntEnum):
    """Win32 error codes that this program itself gives or understands.

    https://learn.microsoft.com/windows/win32/debug/system-error-codes
    A host may report others; they are passed on as plain numbers.
    """

    SUCCESS = 0
    INVALID_FUNCTION = 1
    FILE_NOT_FOUND = 2
    PATH_NOT_FOUND = 3
    ACCESS_DENIED = 5
    INVALID_HANDLE = 6
    NOT_ENOUGH_MEMORY = 8
    WRITE_PROTECT = 19
    NOT_READY = 21
    CRC = 23
    GEN_FAILURE = 31
    SHARING_VIOLATION = 32
    NOT_SUPPORTED = 50
    BAD_NETPATH = 53
    NETWORK_ACCESS_DENIED = 65
    BAD_NET_NAME = 67
    INVALID_PARAMETER = 87
    DISK_FULL = 112
    INVALID_NAME = 123
    DIR_NOT_EMPTY = 145
    BAD_PATHNAME = 161
    BUSY = 170
    ALREADY_EXISTS = 183
    FILENAME_EXCED_RANGE = 206
    WAIT_TIMEOUT = 258
    DIRECTORY = 267
    OPERATION_ABORTED = 995
    IO_PENDING = 997
    UNRECOGNIZED_VOLUME = 1005
    DEPENDENT_SERVICES_RUNNING = 1051
    INVALID_SERVICE_CONTROL = 1052
    SERVICE_REQUEST_TIMEOUT = 1053
    SERVICE_DISABLED = 1058
    SERVICE_DOES_NOT_EXIST = 1060
    SERVICE_CANNOT_ACCEPT_CTRL = 1061
    SERVICE_DEPENDENCY_FAIL = 1068
    FILE_CORRUPT = 1392
    DISK_CORRUPT = 1393
    IO_DEVICE = 1117
    NOT_FOUND = 1168
    SESSION_CREDENTIAL_CONFLICT = 1219
    CONNECTION_INVALID = 1229
    NO_SUCH_LOGON_SESSION = 1312
    LOGON_FAILURE = 1326
    NO_SYSTEM_RESOURCES = 1450
    TIMEOUT = 1460
    RPC_S_SERVER_UNAVAILABLE = 1722
    UNRECOGNIZED_MEDIA = 1785
    BAD_USERNAME = 2202
    NOT_CONNECTED = 2250
    DEVICE_IN_USE = 2404
    NOT_A_REPARSE_POINT = 4390
    REPARSE_POINT_ENCOUNTERED = 4395


class CsiProxyError(Exception):
    """A failure that a client is told about.

    ``str(error)`` is one sentence that says what is wrong and, where there is one, what to do next.  It
    holds no secret.  ``windows_code`` is the Win32 code that fits; ``origin`` names the Windows call that
    gave it and its own return value (``MSFT_Disk.Initialize returned 41002``), empty where the proxy
    itself refused.  ``rail`` names the guard rail that stood in the way, "" where none did.
    """

    code: ClassVar[Code] = Code.UNKNOWN
    default_windows_code: ClassVar[int] = WindowsCode.GEN_FAILURE

    def __init__(
        self, message: str, windows_code: int | None = None, *, origin: str = "", rail: str = ""
    ) -> None:
        super().__init__(message)
        self.windows_code = int(self.default_windows_code if windows_code is None else windows_code)
        self.origin = origin
        self.rail = rail


class InvalidArgument(CsiProxyError):
    """The request can never succeed as it is: change it."""

    code = Code.INVALID_ARGUMENT
    default_windows_code = WindowsCode.INVALID_PARAMETER


class OutOfRange(CsiProxyError):
    """A size or number is beyond what the object has."""

    code = Code.OUT_OF_RANGE
    default_windows_code = WindowsCode.INVALID_PARAMETER


class NotFound(CsiProxyError):
    """The disk, volume or path does not exist (yet)."""

    code = Code.NOT_FOUND
    default_windows_code = WindowsCode.NOT_FOUND


class AlreadyExists(CsiProxyError):
    """Something else is there already; remove it or choose another name."""

    code = Code.ALREADY_EXISTS
    default_windows_code = WindowsCode.ALREADY_EXISTS


class PermissionDenied(CsiProxyError):
    """Outside what clients may touch.  Nobody but the operator can change that."""

    code = Code.PERMISSION_DENIED
    default_windows_code = WindowsCode.ACCESS_DENIED


class FailedPrecondition(CsiProxyError):
    """The object is in a state that forbids this; bring it into another state first."""

    code = Code.FAILED_PRECONDITION
    default_windows_code = WindowsCode.NOT_SUPPORTED


class Aborted(CsiProxyError):
    """Another operation holds the object; try again."""

    code = Code.ABORTED
    default_windows_code = WindowsCode.BUSY


class ResourceExhausted(CsiProxyError):
    """A limit or a full disk; try again when there is room."""

    code = Code.RESOURCE_EXHAUSTED
    default_windows_code = WindowsCode.NO_SYSTEM_RESOURCES


class Unimplemented(CsiProxyError):
    """This node cannot do that."""

    code = Code.UNIMPLEMENTED
    default_windows_code = WindowsCode.NOT_SUPPORTED


class Unavailable(CsiProxyError):
    """The host does not answer now; try again."""

    code = Code.UNAVAILABLE
    default_windows_code = WindowsCode.RPC_S_SERVER_UNAVAILABLE


class DeadlineExceeded(CsiProxyError):
    """The client's deadline passed before the operation was done."""

    code = Code.DEADLINE_EXCEEDED
    default_windows_code = WindowsCode.TIMEOUT


class Cancelled(CsiProxyError):
    """The client has gone away."""

    code = Code.CANCELLED
    default_windows_code = WindowsCode.OPERATION_ABORTED


class Internal(CsiProxyError):
    """The host failed in a way that no caller can mend; the operator should look at it."""

    code = Code.INTERNAL
    default_windows_code = WindowsCode.GEN_FAILURE


class DataLoss(CsiProxyError):
    """What is on the disk cannot be read as what it should be; it was left as it is."""

    code = Code.DATA_LOSS
    default_windows_code = WindowsCode.DISK_CORRUPT


class HostError(Exception):
    """A failure as the host says it, before anybody has judged it.  Never reaches a client unmapped."""


class Win32Error(HostError):
    """A Win32 call failed.  ``windows_code`` is what GetLastError said, ``call`` the function's name."""

    def __init__(self, windows_code: int, call: str, detail: str = "") -> None:
        super().__init__(
            f"{call} failed with Windows error {int(windows_code)}{': ' if detail else ''}{detail}"
        )
        self.windows_code = int(windows_code)
        self.call = call
        self.detail = detail


class CimError(HostError):
    """A CIM operation itself failed (an HRESULT), as opposed to a method that returned a code."""

    def __init__(self, hresult: int, operation: str, detail: str = "") -> None:
        super().__init__(
            f"{operation} failed with HRESULT 0x{hresult & 0xFFFFFFFF:08x}{': ' if detail else ''}{detail}"
        )
        self.hresult = hresult & 0xFFFFFFFF
        self.operation = operation
        self.detail = detail


class HostUnreachable(HostError):
    """The host (WMI service, emulated node) does not answer at all."""
