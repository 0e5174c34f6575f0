"""What a foreign failure means to a caller: the only place where codes become error classes.

Three tables: Win32 codes (in ``csiproxy.win32_codes``, as clients read them, too), return values of the
storage classes' CIM methods (each with the page that documents it), HRESULTs of WMI itself.  Microsoft
documents no mapping from CIM return values to Win32 codes; the second column of the CIM table is this
project's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from csiproxy.errors import (
    Aborted,
    AlreadyExists,
    CimError,
    CsiProxyError,
    DataLoss,
    DeadlineExceeded,
    FailedPrecondition,
    HostError,
    HostUnreachable,
    Internal,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
    Win32Error,
)
from csiproxy.host.cim import Result
from csiproxy.win32_codes import WIN32, ErrorClass

# The pages are below https://learn.microsoft.com/windows-hardware/drivers/storage/
_DISK, _PARTITION, _VOLUME = "msft-disk", "msft-partition", "msft-volume"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a CIM return value means: the class to raise, the Win32 code that fits, a text, its page."""

    error: ErrorClass
    windows_code: int
    text: str
    page: str


CIM: dict[int, Meaning] = {
    1: Meaning(FailedPrecondition, 50, "the provider does not support it", "initialize-msft-disk"),
    2: Meaning(Internal, 31, "the provider gives no reason", "initialize-msft-disk"),
    3: Meaning(DeadlineExceeded, 1460, "the provider timed out", "initialize-msft-disk"),
    4: Meaning(Internal, 31, "the provider failed", "initialize-msft-disk"),
    5: Meaning(InvalidArgument, 87, "the provider calls a parameter invalid", "initialize-msft-disk"),
    6: Meaning(Aborted, 170, "it is in use; try again", "initialize-msft-disk"),
    7: Meaning(FailedPrecondition, 50, "a 32-bit program cannot do this", "msft-disk-createpartition"),
    8: Meaning(NotFound, 1168, "the object has gone", "msft-volume-flush"),
    4096: Meaning(
        Unavailable, 997, "the provider goes on in the background; try again", "format-msft-volume"
    ),
    4097: Meaning(OutOfRange, 87, "the size is not supported", "msft-partition-resize"),
    40000: Meaning(
        ResourceExhausted, 112, "there is not enough room on the disk", "msft-disk-createpartition"
    ),
    40001: Meaning(PermissionDenied, 5, "the provider denies access", "initialize-msft-disk"),
    40002: Meaning(ResourceExhausted, 1450, "the provider is out of resources", "initialize-msft-disk"),
    40003: Meaning(Unavailable, 1237, "the storage cache is out of date; try again", "initialize-msft-disk"),
    40004: Meaning(DataLoss, 1117, "the device failed to read or write", "msft-volume-flush"),
    40005: Meaning(InvalidArgument, 87, "give a size or ask for the maximum", "msft-disk-createpartition"),
    40007: Meaning(DataLoss, 1117, "the device reports a hardware error", "msft-physicaldisk"),
    40018: Meaning(FailedPrecondition, 170, "failover clustering manages the disk", "format-msft-volume"),
    41000: Meaning(FailedPrecondition, 1785, "the disk is not initialised", "msft-disk-createpartition"),
    41001: Meaning(AlreadyExists, 183, "the disk is initialised already", "initialize-msft-disk"),
    41002: Meaning(FailedPrecondition, 19, "the disk is read-only", "initialize-msft-disk"),
    41003: Meaning(FailedPrecondition, 21, "the disk is offline; bring it online", "initialize-msft-disk"),
    41004: Meaning(ResourceExhausted, 112, "the partition table is full", "msft-disk-createpartition"),
    41005: Meaning(InvalidArgument, 87, "the alignment is not valid", "msft-disk-createpartition"),
    41006: Meaning(InvalidArgument, 87, "the partition type does not allow it", "msft-disk-createpartition"),
    41007: Meaning(FailedPrecondition, 170, "the disk has vendor partitions", "clear-msft-disk"),
    41008: Meaning(FailedPrecondition, 170, "the disk has data partitions", "clear-msft-disk"),
    41009: Meaning(FailedPrecondition, 50, "the disk holds the system", "clear-msft-disk"),
    41010: Meaning(InvalidArgument, 87, "the partition type is not valid", "msft-disk-createpartition"),
    41011: Meaning(OutOfRange, 50, "an MBR disk ends at 2 TB; use GPT", "msft-disk-createpartition"),
    41012: Meaning(OutOfRange, 87, "the offset is not valid", "msft-disk-createpartition"),
    41013: Meaning(FailedPrecondition, 170, "the disk has partitions", "msft-disk-convertstyle"),
    41014: Meaning(FailedPrecondition, 112, "the disk is too small for GPT", "initialize-msft-disk"),
    41015: Meaning(FailedPrecondition, 1112, "there is no medium in the device", "clear-msft-disk"),
    41016: Meaning(OutOfRange, 87, "the offset is not valid", "msft-disk-createpartition"),
    41017: Meaning(InvalidArgument, 87, "the partition layout is not valid", "msft-disk-createpartition"),
    41018: Meaning(FailedPrecondition, 170, "failover clustering manages the disk", "initialize-msft-disk"),
    41019: Meaning(FailedPrecondition, 170, "failover clustering manages the disk", "clear-msft-disk"),
    42000: Meaning(
        FailedPrecondition, 170, "its access paths are still there", "msft-partition-deleteobject"
    ),
    42001: Meaning(
        FailedPrecondition, 170, "the extended partition is not empty", "msft-partition-deleteobject"
    ),
    42002: Meaning(AlreadyExists, 85, "the access path is in use", "msft-disk-createpartition"),
    42004: Meaning(FailedPrecondition, 50, "the partition is hidden", "msft-partition-addaccesspath"),
    42005: Meaning(
        FailedPrecondition, 50, "a volume path cannot be removed", "msft-partition-removeaccesspath"
    ),
    42006: Meaning(FailedPrecondition, 50, "the partition boots the host", "msft-partition-removeaccesspath"),
    42007: Meaning(InvalidArgument, 161, "the access path is not valid", "msft-partition-addaccesspath"),
    42008: Meaning(DataLoss, 1393, "the volume has errors; repair it first", "msft-partition-resize"),
    42009: Meaning(FailedPrecondition, 1005, "the file system is unknown", "msft-partition-resize"),
    42010: Meaning(FailedPrecondition, 50, "the partition holds the system", "msft-partition-offline"),
    42011: Meaning(FailedPrecondition, 50, "only data partitions can do that", "msft-partition-offline"),
    43000: Meaning(InvalidArgument, 87, "the cluster size is not valid", "format-msft-volume"),
    43001: Meaning(FailedPrecondition, 50, "the file system is not supported here", "format-msft-volume"),
    43002: Meaning(FailedPrecondition, 50, "the volume cannot be formatted quickly", "format-msft-volume"),
    43003: Meaning(OutOfRange, 87, "the volume is too large for its clusters", "format-msft-volume"),
    43004: Meaning(FailedPrecondition, 50, "the UDF version is not supported", "format-msft-volume"),
    43005: Meaning(
        InvalidArgument, 87, "the cluster size does not fit the sector size", "format-msft-volume"
    ),
    43006: Meaning(FailedPrecondition, 19, "the drive is read-only", "format-msft-volume"),
    43007: Meaning(DataLoss, 1393, "the repair failed", "repair-msft-volume"),
    43008: Meaning(DataLoss, 1393, "the scan failed", "repair-msft-volume"),
    43010: Meaning(Aborted, 170, "a scan is running; try again", "repair-msft-volume"),
    43013: Meaning(Aborted, 110, "the drive cannot be opened; try again", "repair-msft-volume"),
    43014: Meaning(FailedPrecondition, 1005, "the file system is unknown", "repair-msft-volume"),
    43015: Meaning(PermissionDenied, 5, "group policy forbids it", "msft-volume-setattributes"),
    43016: Meaning(PermissionDenied, 5, "a registry setting forbids it", "msft-volume-setattributes"),
    46000: Meaning(Unavailable, 1722, "the storage provider does not answer", "msft-storagesetting"),
    46001: Meaning(Unavailable, 1722, "the storage subsystem does not answer", "msft-storagesetting"),
    48007: Meaning(FailedPrecondition, 19, "the storage pool is read-only", "msft-physicaldisk"),
}

# What the two values that give no reason mean when Windows calls the disk failed.
_DAMAGED = Meaning(
    DataLoss,
    1393,
    "its partition table is damaged and was left as it is; restore the table, or clear the disk if nothing "
    "on it is needed",
    _DISK,
)
DAMAGED_DISK: Mapping[int, Meaning] = {**CIM, 2: _DAMAGED, 4: _DAMAGED}

# https://learn.microsoft.com/windows/win32/cimwin32prov/startservice-method-in-class-win32-service
_SERVICE = "win32-service"
SERVICE: dict[int, Meaning] = {
    1: Meaning(FailedPrecondition, 50, "the service does not support it", _SERVICE),
    2: Meaning(PermissionDenied, 5, "Windows denies access to the service", _SERVICE),
    3: Meaning(FailedPrecondition, 1051, "services that depend on it run", _SERVICE),
    4: Meaning(FailedPrecondition, 1052, "the service does not accept it", _SERVICE),
    5: Meaning(FailedPrecondition, 1061, "the service cannot accept it in its state", _SERVICE),
    6: Meaning(FailedPrecondition, 1062, "the service has not been started", _SERVICE),
    7: Meaning(DeadlineExceeded, 1053, "the service did not answer in time", _SERVICE),
    8: Meaning(Internal, 31, "the service failed to start for an unknown reason", _SERVICE),
    9: Meaning(NotFound, 3, "the program of the service was not found", _SERVICE),
    10: Meaning(AlreadyExists, 1056, "the service runs already", _SERVICE),
    11: Meaning(Unavailable, 1055, "the database of services is locked; try again", _SERVICE),
    12: Meaning(FailedPrecondition, 1075, "a service that it needs was removed", _SERVICE),
    13: Meaning(FailedPrecondition, 1068, "a service that it needs does not start", _SERVICE),
    14: Meaning(FailedPrecondition, 1058, "the service is disabled; enable it first", _SERVICE),
    15: Meaning(FailedPrecondition, 1069, "the service cannot log on", _SERVICE),
    16: Meaning(FailedPrecondition, 1072, "the service is being removed", _SERVICE),
    17: Meaning(Internal, 31, "the service has no thread", _SERVICE),
    18: Meaning(FailedPrecondition, 31, "the service depends on itself", _SERVICE),
    19: Meaning(AlreadyExists, 183, "a service of that name runs", _SERVICE),
    20: Meaning(InvalidArgument, 123, "the name of the service is illegal", _SERVICE),
    21: Meaning(InvalidArgument, 87, "the service was given invalid parameters", _SERVICE),
    22: Meaning(FailedPrecondition, 1069, "the account of the service is not valid", _SERVICE),
    23: Meaning(AlreadyExists, 183, "a service of that name exists", _SERVICE),
    24: Meaning(FailedPrecondition, 31, "the service is paused", _SERVICE),
}
# https://learn.microsoft.com/windows-hardware/drivers/storage/iscsi-status-qualifiers
_INITIATOR = "iscsi-status-qualifiers"
ISCSI: dict[int, Meaning] = {
    0xEFFF0001: Meaning(Internal, 31, "the initiator gives no reason", _INITIATOR),
    0xEFFF0002: Meaning(PermissionDenied, 1326, "the target refuses the login", _INITIATOR),
    0xEFFF0003: Meaning(Unavailable, 1225, "the portal does not answer", _INITIATOR),
    0xEFFF0004: Meaning(AlreadyExists, 183, "the initiator is registered already", _INITIATOR),
    0xEFFF0005: Meaning(NotFound, 1168, "the initiator is not registered", _INITIATOR),
    0xEFFF0006: Meaning(Unavailable, 1237, "the target has moved for a while; try again", _INITIATOR),
    0xEFFF0007: Meaning(NotFound, 1168, "the target has moved; discover it again", _INITIATOR),
    0xEFFF0008: Meaning(Internal, 31, "the target finds fault with the initiator", _INITIATOR),
    0xEFFF0009: Meaning(
        PermissionDenied,
        1326,
        "CHAP failed: the name or a secret is not the one that the other side has",
        _INITIATOR,
    ),
    0xEFFF000A: Meaning(PermissionDenied, 5, "the target does not let this initiator in", _INITIATOR),
    0xEFFF000B: Meaning(NotFound, 1168, "the portal does not have that target", _INITIATOR),
    0xEFFF000C: Meaning(NotFound, 1168, "the target has been removed", _INITIATOR),
    0xEFFF000D: Meaning(FailedPrecondition, 50, "the target speaks another version of iSCSI", _INITIATOR),
    0xEFFF000E: Meaning(ResourceExhausted, 71, "the target takes no more connections", _INITIATOR),
    0xEFFF000F: Meaning(InvalidArgument, 87, "the login lacks a parameter", _INITIATOR),
    0xEFFF0010: Meaning(Internal, 31, "the connection cannot be part of the session", _INITIATOR),
    0xEFFF0011: Meaning(FailedPrecondition, 50, "the target does not have sessions of that kind", _INITIATOR),
    0xEFFF0012: Meaning(Internal, 31, "the target failed", _INITIATOR),
    0xEFFF0013: Meaning(
        Unavailable, 1722, "the target's service is not available now; try again", _INITIATOR
    ),
    0xEFFF0014: Meaning(ResourceExhausted, 1450, "the target is out of resources", _INITIATOR),
    0xEFFF0015: Meaning(AlreadyExists, 183, "the initiator has such a connection already", _INITIATOR),
    0xEFFF0016: Meaning(AlreadyExists, 183, "there is such a session already", _INITIATOR),
    0xEFFF0017: Meaning(NotFound, 1168, "there is no such initiator", _INITIATOR),
    0xEFFF0018: Meaning(AlreadyExists, 183, "the target is known already", _INITIATOR),
    0xEFFF0019: Meaning(Internal, 31, "the iSCSI driver is faulty", _INITIATOR),
    0xEFFF001A: Meaning(Internal, 31, "the other side sent a key that iSCSI does not have", _INITIATOR),
    0xEFFF001B: Meaning(Internal, 31, "the portal's list of targets cannot be read", _INITIATOR),
    0xEFFF001C: Meaning(NotFound, 1168, "there is no such session", _INITIATOR),
    0xEFFF001D: Meaning(Internal, 1117, "a SCSI command failed", _INITIATOR),
    0xEFFF001E: Meaning(ResourceExhausted, 71, "the initiator has no room for more sessions", _INITIATOR),
    0xEFFF001F: Meaning(Aborted, 170, "another request is under way on the session; try again", _INITIATOR),
    0xEFFF0020: Meaning(NotFound, 1168, "the target has no mapping", _INITIATOR),
    0xEFFF0021: Meaning(
        FailedPrecondition, 50, "the initiator cannot use an address of that kind", _INITIATOR
    ),
    0xEFFF0022: Meaning(PermissionDenied, 1326, "the target refuses the logon", _INITIATOR),
    0xEFFF0023: Meaning(Unavailable, 1236, "sending to the target failed; try again", _INITIATOR),
    0xEFFF0024: Meaning(Unavailable, 59, "the connection to the target failed; try again", _INITIATOR),
    0xEFFF0025: Meaning(
        FailedPrecondition, 50, "the two sides speak different versions of iSCSI", _INITIATOR
    ),
    0xEFFF0026: Meaning(OutOfRange, 87, "the adapter has no such target mapping", _INITIATOR),
    0xEFFF0027: Meaning(FailedPrecondition, 50, "the IPsec key of the target is missing", _INITIATOR),
    0xEFFF0028: Meaning(FailedPrecondition, 50, "the credentials for the target are missing", _INITIATOR),
    0xEFFF0029: Meaning(NotFound, 1168, "the node does not know the target; discover it first", _INITIATOR),
    0xEFFF002A: Meaning(InvalidArgument, 87, "a parameter of the login is not valid", _INITIATOR),
    0xEFFF002B: Meaning(AlreadyExists, 183, "there is such a target mapping already", _INITIATOR),
    0xEFFF002C: Meaning(ResourceExhausted, 1450, "the adapter's store of credentials is full", _INITIATOR),
    0xEFFF002D: Meaning(InvalidArgument, 87, "the initiator has no such port", _INITIATOR),
    0xEFFF002E: Meaning(Internal, 31, "not all initiators could do it", _INITIATOR),
    0xEFFF002F: Meaning(FailedPrecondition, 50, "the adapter has no store of credentials", _INITIATOR),
    0xEFFF0030: Meaning(FailedPrecondition, 50, "that kind of IKE identity is not supported", _INITIATOR),
    0xEFFF0031: Meaning(InvalidArgument, 87, "the IKE identity has the wrong length", _INITIATOR),
    0xEFFF0032: Meaning(AlreadyExists, 183, "the portal is registered already", _INITIATOR),
    0xEFFF0033: Meaning(AlreadyExists, 183, "the target's address is registered already", _INITIATOR),
    0xEFFF0034: Meaning(NotFound, 1168, "there are no IKE credentials", _INITIATOR),
    0xEFFF0035: Meaning(FailedPrecondition, 50, "the tunnel has no outer address", _INITIATOR),
    0xEFFF0036: Meaning(Internal, 31, "the initiator's store of addresses or keys is damaged", _INITIATOR),
    0xEFFF0037: Meaning(FailedPrecondition, 50, "this node cannot do it", _INITIATOR),
    0xEFFF0038: Meaning(ResourceExhausted, 1450, "the target is out of resources", _INITIATOR),
    0xEFFF0039: Meaning(
        DeadlineExceeded, 1053, "the initiator's service did not answer its driver in time", _INITIATOR
    ),
    0xEFFF003A: Meaning(NotFound, 1168, "there is no iSNS server", _INITIATOR),
    0xEFFF003C: Meaning(FailedPrecondition, 87, "no portal of the target is known", _INITIATOR),
    0xEFFF003D: Meaning(FailedPrecondition, 50, "a session's last connection stays", _INITIATOR),
    0xEFFF003E: Meaning(
        FailedPrecondition, 1062, "the service MSiSCSI does not run; start it first", _INITIATOR
    ),
    0xEFFF003F: Meaning(AlreadyExists, 183, "the target is logged in already", _INITIATOR),
    0xEFFF0040: Meaning(
        FailedPrecondition, 2404, "a disk of the session is in use; unmount its volumes first", _INITIATOR
    ),
    0xEFFF0041: Meaning(Internal, 31, "the persistent login could not be saved", _INITIATOR),
    0xEFFF0042: Meaning(Internal, 31, "the persistent login could not be removed", _INITIATOR),
    0xEFFF0043: Meaning(NotFound, 1168, "the portal is not registered; add it first", _INITIATOR),
    0xEFFF0044: Meaning(NotFound, 1168, "there is no such initiator", _INITIATOR),
    0xEFFF0045: Meaning(NotFound, 1168, "there is no such way of discovery", _INITIATOR),
    0xEFFF0046: Meaning(FailedPrecondition, 50, "this Windows has no IPsec for iSCSI", _INITIATOR),
    0xEFFF0047: Meaning(DeadlineExceeded, 1460, "the persistent logins took too long", _INITIATOR),
    0xEFFF0048: Meaning(InvalidArgument, 87, "a CHAP secret has at least 12 bytes", _INITIATOR),
    0xEFFF0049: Meaning(FailedPrecondition, 50, "the initiator's evaluation period is over", _INITIATOR),
    0xEFFF004A: Meaning(InvalidArgument, 87, "the CHAP secret is not valid", _INITIATOR),
    0xEFFF004B: Meaning(InvalidArgument, 87, "the target's CHAP secret is not valid", _INITIATOR),
    0xEFFF004C: Meaning(
        FailedPrecondition, 87, "the initiator's CHAP secret is not set, or equals the target's", _INITIATOR
    ),
    0xEFFF004D: Meaning(InvalidArgument, 2202, "the CHAP user name is not valid", _INITIATOR),
    0xEFFF004E: Meaning(InvalidArgument, 87, "the kind of authentication is not valid", _INITIATOR),
    0xEFFF004F: Meaning(InvalidArgument, 87, "the target mapping is not valid", _INITIATOR),
    0xEFFF0050: Meaning(InvalidArgument, 87, "the target's identifier is not valid", _INITIATOR),
    0xEFFF0051: Meaning(InvalidArgument, 123, "the iSCSI name is not valid", _INITIATOR),
    0xEFFF0052: Meaning(FailedPrecondition, 50, "the iSNS server speaks another version", _INITIATOR),
    0xEFFF0053: Meaning(Internal, 31, "IPsec could not be set up", _INITIATOR),
    0xEFFF0054: Meaning(Internal, 31, "the initiator's buffer is too small", _INITIATOR),
    0xEFFF0055: Meaning(InvalidArgument, 87, "the load balancing policy is not valid", _INITIATOR),
    0xEFFF0056: Meaning(InvalidArgument, 87, "the initiator calls a parameter invalid", _INITIATOR),
    0xEFFF0057: Meaning(InvalidArgument, 87, "a path was given twice", _INITIATOR),
    0xEFFF0058: Meaning(InvalidArgument, 87, "the number of paths is not that of the session", _INITIATOR),
    0xEFFF0059: Meaning(InvalidArgument, 87, "there is no such path", _INITIATOR),
    0xEFFF005A: Meaning(InvalidArgument, 87, "only one path can be the first", _INITIATOR),
    0xEFFF005B: Meaning(InvalidArgument, 87, "one path has to be the first", _INITIATOR),
    0xEFFF005C: Meaning(AlreadyExists, 183, "the device is bound persistently already", _INITIATOR),
    0xEFFF005D: Meaning(NotFound, 1168, "there is no such device", _INITIATOR),
    0xEFFF005E: Meaning(FailedPrecondition, 50, "the device is not a persistent iSCSI disk", _INITIATOR),
    0xEFFF005F: Meaning(Unavailable, 53, "the portal's name does not resolve", _INITIATOR),
    0xEFFF0060: Meaning(Unavailable, 1229, "the session has no connection now; try again", _INITIATOR),
    0xEFFF0061: Meaning(FailedPrecondition, 50, "the load balancing policy is not supported", _INITIATOR),
    0xEFFF0062: Meaning(Aborted, 170, "a connection of the session is being removed; try again", _INITIATOR),
    0xEFFF0063: Meaning(InvalidArgument, 87, "the session has no such connection", _INITIATOR),
    0xEFFF0064: Meaning(FailedPrecondition, 50, "a session's first connection stays", _INITIATOR),
    0xEFFF0065: Meaning(PermissionDenied, 5, "group policy forbids it", _INITIATOR),
    0xEFFF0066: Meaning(FailedPrecondition, 50, "the firewall keeps the iSNS server out", _INITIATOR),
}
_UNKNOWN = Meaning(Internal, 31, "the provider gives a code that is not documented", "")

# https://learn.microsoft.com/windows/win32/wmisdk/wmi-error-constants
HRESULT: dict[int, tuple[ErrorClass, int, str]] = {
    0x80041002: (NotFound, 1168, "the object has gone"),
    0x80041003: (PermissionDenied, 5, "WMI denies access"),
    0x80041006: (ResourceExhausted, 8, "WMI is out of memory"),
    0x80041008: (Internal, 87, "WMI calls a parameter invalid"),
    0x80041009: (Unavailable, 1722, "WMI is not available now"),
    0x8004100C: (FailedPrecondition, 50, "WMI does not support it"),
    0x8004100E: (FailedPrecondition, 50, "this Windows has no such WMI namespace"),
    0x80041010: (FailedPrecondition, 50, "this Windows has no such WMI class"),
    0x80041015: (Unavailable, 1722, "WMI lost its transport"),
    0x80041017: (Internal, 87, "WMI calls a query invalid"),
    0x8004102F: (Internal, 87, "WMI calls a method's parameters invalid"),
    0x80041033: (Unavailable, 1722, "WMI is shutting down"),
    0x80041045: (Aborted, 170, "WMI is busy; try again"),
    0x80041055: (FailedPrecondition, 50, "this Windows has no such WMI method"),
    0x80041062: (PermissionDenied, 1314, "the proxy's account lacks a privilege"),
    0x80041069: (DeadlineExceeded, 1460, "WMI timed out"),
}
FACILITY_WIN32 = 0x8007


def judge(error: HostError, doing: str) -> CsiProxyError:
    """The error class for a host's failure.  ``doing`` says what was tried (``mount volume X at Y``)."""
    if isinstance(error, Win32Error):
        found, text = WIN32.get(error.windows_code, (Internal, "the host failed"))
        detail = f" ({error.detail})" if error.detail else ""
        return found(
            f"cannot {doing}: {text}{detail}",
            error.windows_code,
            origin=f"{error.call}: Windows error {error.windows_code}",
        )
    if isinstance(error, CimError):
        origin = f"{error.operation}: HRESULT 0x{error.hresult:08x}"
        said = f" ({error.detail})" if error.detail else ""
        if error.hresult >> 16 == FACILITY_WIN32:
            code = error.hresult & 0xFFFF
            found, text = WIN32.get(code, (Internal, "the host failed"))
            return found(f"cannot {doing}: {text}{said}", code, origin=origin)
        if meaning := ISCSI.get(error.hresult):
            return meaning.error(f"cannot {doing}: {meaning.text}{said}", meaning.windows_code, origin=origin)
        failure, code, text = HRESULT.get(error.hresult, (Internal, 31, "WMI failed"))
        return failure(f"cannot {doing}: {text}", code, origin=origin)
    if isinstance(error, HostUnreachable):
        return Unavailable(f"cannot {doing}: the host does not answer ({error})")
    return Internal(f"cannot {doing}: the host failed")


@contextmanager
def judged(doing: str) -> Iterator[None]:
    """Turn every host failure inside into the error class that it means."""
    try:
        yield
    except HostError as error:
        raise judge(error, doing) from error


def expect(
    result: Result,
    method: str,
    doing: str,
    *,
    also: tuple[int, ...] = (),
    table: Mapping[int, Meaning] = CIM,
) -> Result:
    """Let a CIM result pass when it is 0 or one of ``also``, else raise what its return value means.

    ``method`` is ``Class.Method``, ``table`` what its class' values mean.  The provider's own sentence
    (ExtendedStatus.Message) is kept: it is the one place where the real reason stands.
    """
    value = result.return_value
    if value < 0:  # an HRESULT, which some hosts give as a signed number
        value &= 0xFFFF_FFFF
    if value == 0 or value in also:
        return result
    meaning = table.get(value, _UNKNOWN)
    status = result.instance("ExtendedStatus")
    said = f" ({status.text('Message')})" if status and status.text("Message") else ""
    raise meaning.error(
        f"cannot {doing}: {meaning.text}{said}", meaning.windows_code, origin=f"{method} returned {value}"
    )
