"""The iSCSI classes of the port: their properties and methods, with CIM types.

Facts from https://learn.microsoft.com/previous-versions/windows/desktop/iscsidisc/msft-iscsitarget and its
neighbours, with the CHAP parameters that only running systems show.
"""

from csiproxy.host.schema import CimClass, Method

TARGET = "MSFT_iSCSITarget"
PORTAL = "MSFT_iSCSITargetPortal"
SESSION = "MSFT_iSCSISession"
CONNECTION = "MSFT_iSCSIConnection"
TARGET_TO_PORTAL = "MSFT_iSCSITargetToiSCSITargetPortal"
TARGET_TO_SESSION = "MSFT_iSCSITargetToiSCSISession"
TARGET_TO_CONNECTION = "MSFT_iSCSITargetToiSCSIConnection"
CONNECTION_TO_DISK = "MSFT_iSCSIConnectionToDisk"
SESSION_TO_DISK = "MSFT_iSCSISessionToDisk"

_CHAP = {"AuthenticationType": "string", "ChapUsername": "string", "ChapSecret": "string"}

MSFT_ISCSI_TARGET = CimClass(
    TARGET,
    "NodeAddress",
    {"NodeAddress": "string", "IsConnected": "boolean"},
    {
        "Connect": Method(
            {
                "NodeAddress": "string",
                "TargetPortalAddress": "string",
                "TargetPortalPortNumber": "uint16",
                "InitiatorPortalAddress": "string",
                "IsDataDigest": "boolean",
                "IsHeaderDigest": "boolean",
                "ReportToPnP": "boolean",
                **_CHAP,
                "IsMultipathEnabled": "boolean",
                "IsPersistent": "boolean",
                "InitiatorInstanceName": "string",
            },
            {"CreatediSCSISession": SESSION},
            static=True,
        ),
        "Disconnect": Method({"SessionIdentifier": "string"}),
        "Update": Method(),
    },
)

MSFT_ISCSI_TARGET_PORTAL = CimClass(
    PORTAL,
    "TargetPortalAddress",
    {
        "TargetPortalAddress": "string",
        "TargetPortalPortNumber": "uint16",
        "InitiatorInstanceName": "string",
        "InitiatorPortalAddress": "string",
        "IsHeaderDigest": "boolean",
        "IsDataDigest": "boolean",
    },
    {
        "New": Method(
            {
                "TargetPortalAddress": "string",
                "TargetPortalPortNumber": "uint16",
                "InitiatorInstanceName": "string",
                "InitiatorPortalAddress": "string",
                **_CHAP,
                "IsHeaderDigest": "boolean",
                "IsDataDigest": "boolean",
            },
            {"CreatedTargetPortal": PORTAL},
            static=True,
        ),
        "Remove": Method(
            {
                "InitiatorInstanceName": "string",
                "InitiatorPortalAddress": "string",
                "TargetPortalPortNumber": "uint16",
                "TargetPortalAddress": "string",
            }
        ),
        "Update": Method(
            {
                "InitiatorInstanceName": "string",
                "InitiatorPortalAddress": "string",
                "TargetPortalAddress": "string",
                "TargetPortalPortNumber": "uint16",
            }
        ),
    },
)

MSFT_ISCSI_SESSION = CimClass(
    SESSION,
    "SessionIdentifier",
    {
        "SessionIdentifier": "string",
        "InitiatorNodeAddress": "string",
        "InitiatorPortalAddress": "string",
        "TargetNodeAddress": "string",
        "AuthenticationType": "string",
        "NumberOfConnections": "uint32",
        "IsConnected": "boolean",
        "IsPersistent": "boolean",
        "IsDiscovered": "boolean",
        "IsDataDigest": "boolean",
        "IsHeaderDigest": "boolean",
    },
    {
        "Register": Method(
            {"IsMultipathEnabled": "boolean", "ChapUsername": "string", "ChapSecret": "string"}
        ),
        "Unregister": Method(),
        "SetCHAPSecret": Method({"ChapSecret": "string"}, static=True),
    },
)

MSFT_ISCSI_CONNECTION = CimClass(
    CONNECTION,
    "ConnectionIdentifier",
    {
        "ConnectionIdentifier": "string",
        "InitiatorAddress": "string",
        "TargetAddress": "string",
        "TargetPortNumber": "uint32",
    },
    {},
)

ISCSI_CLASSES = (MSFT_ISCSI_TARGET, MSFT_ISCSI_TARGET_PORTAL, MSFT_ISCSI_SESSION, MSFT_ISCSI_CONNECTION)
