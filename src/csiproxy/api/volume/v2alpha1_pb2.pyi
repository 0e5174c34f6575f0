# mypy: disable-error-code="type-arg"
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class ListVolumesOnDiskRequest(_message.Message):
    __slots__ = ("disk_number", "partition_number")
    DISK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PARTITION_NUMBER_FIELD_NUMBER: _ClassVar[int]
    disk_number: int
    partition_number: int
    def __init__(self, disk_number: _Optional[int] = ..., partition_number: _Optional[int] = ...) -> None: ...

class ListVolumesOnDiskResponse(_message.Message):
    __slots__ = ("volume_ids",)
    VOLUME_IDS_FIELD_NUMBER: _ClassVar[int]
    volume_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, volume_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class MountVolumeRequest(_message.Message):
    __slots__ = ("volume_id", "target_path")
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    target_path: str
    def __init__(self, volume_id: _Optional[str] = ..., target_path: _Optional[str] = ...) -> None: ...

class MountVolumeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UnmountVolumeRequest(_message.Message):
    __slots__ = ("volume_id", "target_path")
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    target_path: str
    def __init__(self, volume_id: _Optional[str] = ..., target_path: _Optional[str] = ...) -> None: ...

class UnmountVolumeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IsVolumeFormattedRequest(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class IsVolumeFormattedResponse(_message.Message):
    __slots__ = ("formatted",)
    FORMATTED_FIELD_NUMBER: _ClassVar[int]
    formatted: bool
    def __init__(self, formatted: _Optional[bool] = ...) -> None: ...

class FormatVolumeRequest(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class FormatVolumeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResizeVolumeRequest(_message.Message):
    __slots__ = ("volume_id", "size_bytes")
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    size_bytes: int
    def __init__(self, volume_id: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ResizeVolumeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetVolumeStatsRequest(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class GetVolumeStatsResponse(_message.Message):
    __slots__ = ("total_bytes", "used_bytes")
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    total_bytes: int
    used_bytes: int
    def __init__(self, total_bytes: _Optional[int] = ..., used_bytes: _Optional[int] = ...) -> None: ...

class GetDiskNumberFromVolumeIDRequest(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class GetDiskNumberFromVolumeIDResponse(_message.Message):
    __slots__ = ("disk_number",)
    DISK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    disk_number: int
    def __init__(self, disk_number: _Optional[int] = ...) -> None: ...

class GetVolumeIDFromTargetPathRequest(_message.Message):
    __slots__ = ("target_path",)
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    target_path: str
    def __init__(self, target_path: _Optional[str] = ...) -> None: ...

class GetVolumeIDFromTargetPathResponse(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class GetClosestVolumeIDFromTargetPathRequest(_message.Message):
    __slots__ = ("target_path",)
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    target_path: str
    def __init__(self, target_path: _Optional[str] = ...) -> None: ...

class GetClosestVolumeIDFromTargetPathResponse(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class WriteVolumeCacheRequest(_message.Message):
    __slots__ = ("volume_id",)
    VOLUME_ID_FIELD_NUMBER: _ClassVar[int]
    volume_id: str
    def __init__(self, volume_id: _Optional[str] = ...) -> None: ...

class WriteVolumeCacheResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
