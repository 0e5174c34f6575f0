"""What the emulated initiator says when it fails: the status codes of Windows' iSCSI initiator.

https://learn.microsoft.com/windows-hardware/drivers/storage/iscsi-status-qualifiers
"""

from enum import IntEnum


class IscsiStatus(IntEnum):
    """The codes that this initiator gives, named as in Windows' iscsierr.h."""

    NON_SPECIFIC_ERROR = 0xEFFF0001
    LOGIN_FAILED = 0xEFFF0002
    CONNECTION_FAILED = 0xEFFF0003
    TARGET_MOVED_TEMPORARILY = 0xEFFF0006
    TARGET_MOVED_PERMANENTLY = 0xEFFF0007
    INITIATOR_ERROR = 0xEFFF0008
    AUTHENTICATION_FAILURE = 0xEFFF0009
    AUTHORIZATION_FAILURE = 0xEFFF000A
    NOT_FOUND = 0xEFFF000B
    TARGET_REMOVED = 0xEFFF000C
    UNSUPPORTED_VERSION = 0xEFFF000D
    TOO_MANY_CONNECTIONS = 0xEFFF000E
    MISSING_PARAMETER = 0xEFFF000F
    CANT_INCLUDE_IN_SESSION = 0xEFFF0010
    SESSION_TYPE_NOT_SUPPORTED = 0xEFFF0011
    TARGET_ERROR = 0xEFFF0012
    SERVICE_UNAVAILABLE = 0xEFFF0013
    OUT_OF_RESOURCES = 0xEFFF0014
    INVALID_SESSION_ID = 0xEFFF001C
    TRANSPORT_ERROR = 0xEFFF0024
    TARGET_NOT_FOUND = 0xEFFF0029
    REQUEST_NOT_SUPPORTED = 0xEFFF0037
    NO_PORTAL_SPECIFIED = 0xEFFF003C
    SERVICE_NOT_RUNNING = 0xEFFF003E
    TARGET_ALREADY_LOGGED_IN = 0xEFFF003F
    DEVICE_BUSY_ON_SESSION = 0xEFFF0040
    PORTAL_NOT_FOUND = 0xEFFF0043
    SHORT_CHAP_SECRET = 0xEFFF0048
    INVALID_CHAP_SECRET = 0xEFFF004A
    INVALID_INITIATOR_CHAP_SECRET = 0xEFFF004C
    INVALID_CHAP_USER_NAME = 0xEFFF004D
    INVALID_LOGON_AUTH_TYPE = 0xEFFF004E
    INVALID_PARAMETER = 0xEFFF0056
    DNS_NAME_UNRESOLVED = 0xEFFF005F


# RFC 7143 11.13.5: status class and detail of a login response.
LOGIN_STATUS = {
    0x0101: IscsiStatus.TARGET_MOVED_TEMPORARILY,
    0x0102: IscsiStatus.TARGET_MOVED_PERMANENTLY,
    0x0200: IscsiStatus.INITIATOR_ERROR,
    0x0201: IscsiStatus.AUTHENTICATION_FAILURE,
    0x0202: IscsiStatus.AUTHORIZATION_FAILURE,
    0x0203: IscsiStatus.NOT_FOUND,
    0x0204: IscsiStatus.TARGET_REMOVED,
    0x0205: IscsiStatus.UNSUPPORTED_VERSION,
    0x0206: IscsiStatus.TOO_MANY_CONNECTIONS,
    0x0207: IscsiStatus.MISSING_PARAMETER,
    0x0208: IscsiStatus.CANT_INCLUDE_IN_SESSION,
    0x0209: IscsiStatus.SESSION_TYPE_NOT_SUPPORTED,
    0x0300: IscsiStatus.TARGET_ERROR,
    0x0301: IscsiStatus.SERVICE_UNAVAILABLE,
    0x0302: IscsiStatus.OUT_OF_RESOURCES,
}


class IscsiFailure(Exception):
    """The initiator cannot do what it was asked for; the text is for the operator and holds no secret."""

    def __init__(self, status: IscsiStatus, text: str) -> None:
        super().__init__(text)
        self.status = status
