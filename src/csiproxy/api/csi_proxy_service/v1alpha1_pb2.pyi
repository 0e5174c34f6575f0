# mypy: disable-error-code="type-arg"
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PathContext(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLUGIN: _ClassVar[PathContext]
    CONTAINER: _ClassVar[PathContext]
PLUGIN: PathContext
CONTAINER: PathContext

class PathExistsRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class PathExistsResponse(_message.Message):
    __slots__ = ("exists", "error_code")
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    exists: bool
    error_code: int
    def __init__(self, exists: _Optional[bool] = ..., error_code: _Optional[int] = ...) -> None: ...

class MkdirRequest(_message.Message):
    __slots__ = ("path", "context")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    path: str
    context: PathContext
    def __init__(self, path: _Optional[str] = ..., context: _Optional[_Union[PathContext, str]] = ...) -> None: ...

class MkdirResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class RmdirRequest(_message.Message):
    __slots__ = ("path", "context")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    path: str
    context: PathContext
    def __init__(self, path: _Optional[str] = ..., context: _Optional[_Union[PathContext, str]] = ...) -> None: ...

class RmdirResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class RescanRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RescanResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class PartitionDiskRequest(_message.Message):
    __slots__ = ("disk_device", "type")
    class PartitionType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MBR: _ClassVar[PartitionDiskRequest.PartitionType]
        GPT: _ClassVar[PartitionDiskRequest.PartitionType]
    MBR: PartitionDiskRequest.PartitionType
    GPT: PartitionDiskRequest.PartitionType
    DISK_DEVICE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    disk_device: str
    type: PartitionDiskRequest.PartitionType
    def __init__(self, disk_device: _Optional[str] = ..., type: _Optional[_Union[PartitionDiskRequest.PartitionType, str]] = ...) -> None: ...

class PartitionDiskResponse(_message.Message):
    __slots__ = ("volume_device", "error_code")
    VOLUME_DEVICE_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    volume_device: str
    error_code: int
    def __init__(self, volume_device: _Optional[str] = ..., error_code: _Optional[int] = ...) -> None: ...

class FormatVolumeRequest(_message.Message):
    __slots__ = ("volume_device", "type", "staging_path")
    class FileSystemType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NTFS: _ClassVar[FormatVolumeRequest.FileSystemType]
        FAT: _ClassVar[FormatVolumeRequest.FileSystemType]
    NTFS: FormatVolumeRequest.FileSystemType
    FAT: FormatVolumeRequest.FileSystemType
    VOLUME_DEVICE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STAGING_PATH_FIELD_NUMBER: _ClassVar[int]
    volume_device: str
    type: FormatVolumeRequest.FileSystemType
    staging_path: str
    def __init__(self, volume_device: _Optional[str] = ..., type: _Optional[_Union[FormatVolumeRequest.FileSystemType, str]] = ..., staging_path: _Optional[str] = ...) -> None: ...

class FormatVolumeResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class MountSMBShareRequest(_message.Message):
    __slots__ = ("remote_share", "host_path", "readonly", "username", "password")
    REMOTE_SHARE_FIELD_NUMBER: _ClassVar[int]
    HOST_PATH_FIELD_NUMBER: _ClassVar[int]
    READONLY_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    remote_share: str
    host_path: str
    readonly: bool
    username: str
    password: str
    def __init__(self, remote_share: _Optional[str] = ..., host_path: _Optional[str] = ..., readonly: _Optional[bool] = ..., username: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class MountSMBShareResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class MountISCSILunRequest(_message.Message):
    __slots__ = ("node_iqn", "auth_type", "discovery_chap_username", "discovery_chap_secret", "session_chap_username", "session_chap_secret", "target_portal_address", "target_portal_port", "readonly")
    class AuthType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OneWay: _ClassVar[MountISCSILunRequest.AuthType]
        Mutual: _ClassVar[MountISCSILunRequest.AuthType]
    OneWay: MountISCSILunRequest.AuthType
    Mutual: MountISCSILunRequest.AuthType
    NODE_IQN_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_CHAP_USERNAME_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_CHAP_SECRET_FIELD_NUMBER: _ClassVar[int]
    SESSION_CHAP_USERNAME_FIELD_NUMBER: _ClassVar[int]
    SESSION_CHAP_SECRET_FIELD_NUMBER: _ClassVar[int]
    TARGET_PORTAL_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TARGET_PORTAL_PORT_FIELD_NUMBER: _ClassVar[int]
    READONLY_FIELD_NUMBER: _ClassVar[int]
    node_iqn: str
    auth_type: MountISCSILunRequest.AuthType
    discovery_chap_username: str
    discovery_chap_secret: str
    session_chap_username: str
    session_chap_secret: str
    target_portal_address: str
    target_portal_port: str
    readonly: bool
    def __init__(self, node_iqn: _Optional[str] = ..., auth_type: _Optional[_Union[MountISCSILunRequest.AuthType, str]] = ..., discovery_chap_username: _Optional[str] = ..., discovery_chap_secret: _Optional[str] = ..., session_chap_username: _Optional[str] = ..., session_chap_secret: _Optional[str] = ..., target_portal_address: _Optional[str] = ..., target_portal_port: _Optional[str] = ..., readonly: _Optional[bool] = ...) -> None: ...

class MountISCSILunResponse(_message.Message):
    __slots__ = ("error_code", "disk_device")
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    DISK_DEVICE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    disk_device: str
    def __init__(self, error_code: _Optional[int] = ..., disk_device: _Optional[str] = ...) -> None: ...

class LinkPathRequest(_message.Message):
    __slots__ = ("source_path", "target_path")
    SOURCE_PATH_FIELD_NUMBER: _ClassVar[int]
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    source_path: str
    target_path: str
    def __init__(self, source_path: _Optional[str] = ..., target_path: _Optional[str] = ...) -> None: ...

class LinkPathResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class DiskLocation(_message.Message):
    __slots__ = ("Bus", "Target", "LUNID", "Adapter")
    BUS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    LUNID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    Bus: str
    Target: str
    LUNID: str
    Adapter: str
    def __init__(self, Bus: _Optional[str] = ..., Target: _Optional[str] = ..., LUNID: _Optional[str] = ..., Adapter: _Optional[str] = ...) -> None: ...

class ListDiskLocationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDiskLocationsResponse(_message.Message):
    __slots__ = ("disk_locations", "error_code")
    class DiskLocationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: DiskLocation
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[DiskLocation, _Mapping]] = ...) -> None: ...
    DISK_LOCATIONS_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    disk_locations: _containers.MessageMap[str, DiskLocation]
    error_code: int
    def __init__(self, disk_locations: _Optional[_Mapping[str, DiskLocation]] = ..., error_code: _Optional[int] = ...) -> None: ...

class DiskIDs(_message.Message):
    __slots__ = ("IDs",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    IDs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, IDs: _Optional[_Iterable[str]] = ...) -> None: ...

class ListDiskIDsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDiskIDsResponse(_message.Message):
    __slots__ = ("disk_id", "error_code")
    class DiskIdEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: DiskIDs
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[DiskIDs, _Mapping]] = ...) -> None: ...
    DISK_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    disk_id: _containers.MessageMap[str, DiskIDs]
    error_code: int
    def __init__(self, disk_id: _Optional[_Mapping[str, DiskIDs]] = ..., error_code: _Optional[int] = ...) -> None: ...

class ListDiskVolumeMappingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDiskVolumeMappingsResponse(_message.Message):
    __slots__ = ("disk_volume_pair", "error_code")
    class DiskVolumePairEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DISK_VOLUME_PAIR_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    disk_volume_pair: _containers.ScalarMap[str, str]
    error_code: int
    def __init__(self, disk_volume_pair: _Optional[_Mapping[str, str]] = ..., error_code: _Optional[int] = ...) -> None: ...

class ResizeVolumeRequest(_message.Message):
    __slots__ = ("volume_device", "new_size")
    VOLUME_DEVICE_FIELD_NUMBER: _ClassVar[int]
    NEW_SIZE_FIELD_NUMBER: _ClassVar[int]
    volume_device: str
    new_size: int
    def __init__(self, volume_device: _Optional[str] = ..., new_size: _Optional[int] = ...) -> None: ...

class ResizeVolumeResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...

class DismountVolumeRequest(_message.Message):
    __slots__ = ("volume_device",)
    VOLUME_DEVICE_FIELD_NUMBER: _ClassVar[int]
    volume_device: str
    def __init__(self, volume_device: _Optional[str] = ...) -> None: ...

class DismountVolumeResponse(_message.Message):
    __slots__ = ("error_code",)
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    error_code: int
    def __init__(self, error_code: _Optional[int] = ...) -> None: ...
