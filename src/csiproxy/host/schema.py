"""The storage classes of the port: their properties and methods, with CIM types.

Facts from https://learn.microsoft.com/windows-hardware/drivers/storage/windows-storage-management-api-classes,
with the properties that only running systems show.  Windows has more; the emulated node answers what is not
listed as a method that the provider does not implement, and a COM session neither reads nor asks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from csiproxy.host.cim import Instance, Value

DISK = "MSFT_Disk"
PARTITION = "MSFT_Partition"
VOLUME = "MSFT_Volume"
STORAGE_SETTING = "MSFT_StorageSetting"
EXTENDED_STATUS = "MSFT_StorageExtendedStatus"
DISK_TO_PARTITION = "MSFT_DiskToPartition"
PARTITION_TO_VOLUME = "MSFT_PartitionToVolume"

SECRET_PARAMETERS = frozenset({"Credential", "ChapSecret"})
"""Parameters of methods that hold a secret, in whichever class."""

# A CIM type's name, ``[]`` behind it for an array; a class name for an embedded object.
CimType = str

INTEGERS: Mapping[CimType, tuple[int, int]] = {
    "uint8": (0, 0xFF),
    "uint16": (0, 0xFFFF),
    "char16": (0, 0xFFFF),
    "uint32": (0, 0xFFFFFFFF),
    "uint64": (0, 0xFFFFFFFFFFFFFFFF),
    "sint32": (-0x80000000, 0x7FFFFFFF),
    "sint64": (-0x8000000000000000, 0x7FFFFFFFFFFFFFFF),
}


@dataclass(frozen=True, slots=True)
class Method:
    """A method's parameters.  ``static``: called on the class.  ``required``: NULL is refused."""

    inputs: Mapping[str, CimType] = field(default_factory=dict)
    outputs: Mapping[str, CimType] = field(default_factory=dict)
    static: bool = False
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CimClass:
    """One class.  ``key`` names the property that identifies an instance; empty for classes without one."""

    name: str
    key: str
    properties: Mapping[str, CimType]
    methods: Mapping[str, Method]


def fits(value: Value, kind: CimType) -> bool:
    """Whether a value can be of a type; NULL is of none."""
    if kind.endswith("[]"):
        return isinstance(value, tuple) and all(fits(item, kind[:-2]) for item in value)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str)
    if kind in INTEGERS:
        least, most = INTEGERS[kind]
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    return isinstance(value, Instance) and value.class_name == kind


def comparable(value: Value, kind: CimType) -> bool:
    """Whether a condition can hold that value: arrays cannot be compared, characters also as text."""
    if kind == "char16" and isinstance(value, str):
        return len(value) == 1
    return not kind.endswith("[]") and fits(value, kind)


_STATUS = {"ExtendedStatus": EXTENDED_STATUS}
_STORAGE_OBJECT = {"ObjectId": "string", "UniqueId": "string"}

MSFT_DISK = CimClass(
    DISK,
    "ObjectId",
    {
        **_STORAGE_OBJECT,
        "Path": "string",
        "Location": "string",
        "FriendlyName": "string",
        "UniqueIdFormat": "uint16",
        "Number": "uint32",
        "SerialNumber": "string",
        "FirmwareVersion": "string",
        "Manufacturer": "string",
        "Model": "string",
        "Size": "uint64",
        "AllocatedSize": "uint64",
        "LogicalSectorSize": "uint32",
        "PhysicalSectorSize": "uint32",
        "LargestFreeExtent": "uint64",
        "NumberOfPartitions": "uint32",
        "ProvisioningType": "uint16",
        "OperationalStatus": "uint16[]",
        "HealthStatus": "uint16",
        "BusType": "uint16",
        "PartitionStyle": "uint16",
        "Signature": "uint32",
        "Guid": "string",
        "IsOffline": "boolean",
        "OfflineReason": "uint16",
        "IsReadOnly": "boolean",
        "IsSystem": "boolean",
        "IsClustered": "boolean",
        "IsBoot": "boolean",
        "BootFromDisk": "boolean",
    },
    {
        "Initialize": Method({"PartitionStyle": "uint16"}, _STATUS),
        "CreatePartition": Method(
            {
                "Size": "uint64",
                "UseMaximumSize": "boolean",
                "Offset": "uint64",
                "Alignment": "uint32",
                "DriveLetter": "char16",
                "AssignDriveLetter": "boolean",
                "MbrType": "uint16",
                "GptType": "string",
                "IsHidden": "boolean",
                "IsActive": "boolean",
            },
            {"CreatedPartition": PARTITION, **_STATUS},
        ),
        "Clear": Method(
            {
                "RemoveData": "boolean",
                "RemoveOEM": "boolean",
                "ZeroOutEntireDisk": "boolean",
                "Sanitize": "boolean",
                "RunAsJob": "boolean",
            },
            {"CreatedStorageJob": "MSFT_StorageJob", **_STATUS},
        ),
        "Refresh": Method(outputs=_STATUS),
        "Online": Method(outputs=_STATUS),
        "Offline": Method(outputs=_STATUS),
        "SetAttributes": Method({"IsReadOnly": "boolean", "Signature": "uint32", "Guid": "string"}, _STATUS),
    },
)

MSFT_PARTITION = CimClass(
    PARTITION,
    "ObjectId",
    {
        **_STORAGE_OBJECT,
        "DiskId": "string",
        "DiskNumber": "uint32",
        "PartitionNumber": "uint32",
        "DriveLetter": "char16",
        "AccessPaths": "string[]",
        "OperationalStatus": "uint16",
        "TransitionState": "uint16",
        "Offset": "uint64",
        "Size": "uint64",
        "MbrType": "uint16",
        "GptType": "string",
        "Guid": "string",
        "IsReadOnly": "boolean",
        "IsOffline": "boolean",
        "IsSystem": "boolean",
        "IsBoot": "boolean",
        "IsActive": "boolean",
        "IsHidden": "boolean",
        "IsShadowCopy": "boolean",
        "IsDAX": "boolean",
        "NoDefaultDriveLetter": "boolean",
    },
    {
        "Online": Method(outputs=_STATUS),
        "Offline": Method(outputs=_STATUS),
        "GetSupportedSize": Method(outputs={"SizeMin": "uint64", "SizeMax": "uint64", **_STATUS}),
        "Resize": Method({"Size": "uint64"}, _STATUS, required=frozenset({"Size"})),
        "DeleteObject": Method(outputs=_STATUS),
        "GetAccessPaths": Method(outputs={"AccessPaths": "string[]", **_STATUS}),
    },
)

MSFT_VOLUME = CimClass(
    VOLUME,
    "ObjectId",
    {
        **_STORAGE_OBJECT,
        "DriveLetter": "char16",
        "Path": "string",
        "HealthStatus": "uint16",
        "OperationalStatus": "uint16[]",
        "FileSystem": "string",
        "FileSystemLabel": "string",
        "FileSystemType": "uint16",
        "AllocationUnitSize": "uint32",
        "Size": "uint64",
        "SizeRemaining": "uint64",
        "DriveType": "uint32",
        "DedupMode": "uint32",
    },
    {
        "Format": Method(
            {
                "FileSystem": "string",
                "FileSystemLabel": "string",
                "AllocationUnitSize": "uint32",
                "Full": "boolean",
                "Force": "boolean",
                "Compress": "boolean",
                "ShortFileNameSupport": "boolean",
                "SetIntegrityStreams": "boolean",
                "UseLargeFRS": "boolean",
                "DisableHeatGathering": "boolean",
                "IsDAX": "boolean",
                "NoTrim": "boolean",
                "DevDrive": "boolean",
                "SHA256Checksums": "boolean",
                "RunAsJob": "boolean",
            },
            {"FormattedVolume": VOLUME, "CreatedStorageJob": "MSFT_StorageJob", **_STATUS},
        ),
        "Flush": Method(),
        "SetFileSystemLabel": Method({"FileSystemLabel": "string"}, _STATUS),
    },
)

# What a method says about its failure; embedded in results, no class that can be queried.
MSFT_STORAGE_EXTENDED_STATUS = CimClass(
    EXTENDED_STATUS,
    "",
    {"Message": "string", "MessageID": "string", "CIMStatusCode": "uint32", "ErrorType": "uint16"},
    {},
)

MSFT_STORAGE_SETTING = CimClass(
    STORAGE_SETTING,
    "",
    {"NewDiskPolicy": "uint16", "ScrubPolicy": "uint32"},
    {"UpdateHostStorageCache": Method(static=True)},
)

SERVICE = "Win32_Service"
DEPENDENT_SERVICE = "Win32_DependentService"

WIN32_SERVICE = CimClass(
    SERVICE,
    "Name",
    {
        "Name": "string",
        "DisplayName": "string",
        "State": "string",
        "StartMode": "string",
        "Started": "boolean",
        "AcceptStop": "boolean",
    },
    {"StartService": Method(), "StopService": Method()},
)

_FIRMWARE = {"Name": "string", "Manufacturer": "string", "Version": "string", "SerialNumber": "string"}

WIN32_BIOS = CimClass("Win32_BIOS", "Name", _FIRMWARE, {})

# What Win32_BIOS is derived from; programs ask for either.
CIM_BIOS_ELEMENT = CimClass("CIM_BIOSElement", "Name", _FIRMWARE, {})

PAGE_FILE_USAGE = "Win32_PageFileUsage"
OS_RECOVERY_CONFIGURATION = "Win32_OSRecoveryConfiguration"

WIN32_PAGE_FILE_USAGE = CimClass(
    PAGE_FILE_USAGE,
    "Name",
    {"Name": "string", "AllocatedBaseSize": "uint32", "TempPageFile": "boolean"},
    {},
)

WIN32_OS_RECOVERY_CONFIGURATION = CimClass(
    OS_RECOVERY_CONFIGURATION,
    "Name",
    {
        "Name": "string",
        "DebugFilePath": "string",
        "ExpandedDebugFilePath": "string",
        "DebugInfoType": "uint32",
    },
    {},
)

SMB_GLOBAL_MAPPING = "MSFT_SmbGlobalMapping"

# No page documents it: the properties and parameters are those of a running Windows.  Its key is LocalPath
# and RemotePath together; mappings for containers have no local path.
MSFT_SMB_GLOBAL_MAPPING = CimClass(
    SMB_GLOBAL_MAPPING,
    "RemotePath",
    {
        "LocalPath": "string",
        "RemotePath": "string",
        "RequireIntegrity": "boolean",
        "RequirePrivacy": "boolean",
        "Status": "uint32",
        "UseWriteThrough": "boolean",
    },
    {
        "Create": Method(
            {
                "LocalPath": "string",
                "RemotePath": "string",
                "Credential": "string",
                "Persistent": "boolean",
                "RequireIntegrity": "boolean",
                "RequirePrivacy": "boolean",
                "FullAccess": "string[]",
                "DenyAccess": "string[]",
                "UseWriteThrough": "boolean",
            },
            {"CreatedMapping": SMB_GLOBAL_MAPPING},
            static=True,
        ),
        "Remove": Method({"Force": "boolean"}),
    },
)
