"""What the methods of the storage classes return when they refuse.

Numbers and meanings are those of each method's page, from
https://learn.microsoft.com/windows-hardware/drivers/storage/msft-disk on.
"""

from enum import IntEnum


class ReturnCode(IntEnum):
    """Return values of MSFT_Disk, MSFT_Partition and MSFT_Volume."""

    SUCCESS = 0
    NOT_SUPPORTED = 1
    FAILED = 4
    INVALID_PARAMETER = 5
    IN_USE = 6
    OBJECT_NOT_FOUND = 8
    SIZE_NOT_SUPPORTED = 4097
    NOT_ENOUGH_FREE_SPACE = 40000
    ACCESS_DENIED = 40001
    IO_ERROR = 40004
    SIZE_XOR_USE_MAXIMUM_SIZE = 40005
    NOT_INITIALIZED = 41000
    ALREADY_INITIALIZED = 41001
    DISK_READ_ONLY = 41002
    DISK_OFFLINE = 41003
    PARTITION_LIMIT = 41004
    INVALID_ALIGNMENT = 41005
    NOT_FOR_THIS_PARTITION_TYPE = 41006
    OEM_PARTITIONS_PRESENT = 41007
    DATA_PARTITIONS_PRESENT = 41008
    CRITICAL_DISK = 41009
    INVALID_PARTITION_TYPE = 41010
    INVALID_OFFSET = 41012
    TOO_SMALL_FOR_GPT = 41014
    EXTENDED_NOT_EMPTY = 42001
    VOLUME_HAS_ERRORS = 42008
    UNKNOWN_FILE_SYSTEM = 42009
    SYSTEM_PARTITION = 42010
    DATA_PARTITIONS_ONLY = 42011
    INVALID_CLUSTER_SIZE = 43000
    FILE_SYSTEM_NOT_SUPPORTED = 43001
    CLUSTER_NOT_SECTOR_MULTIPLE = 43005
    DRIVE_READ_ONLY = 43006
    FILE_SYSTEM_UNDETERMINED = 43014


class MethodFailed(Exception):
    """A method refuses: what it returns, and what MSFT_StorageExtendedStatus.Message says."""

    def __init__(self, code: ReturnCode, message: str) -> None:
        super().__init__(message)
        self.code = code
