# mypy: disable-error-code="type-arg"
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListDiskLocationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiskLocation(_message.Message):
    __slots__ = ("Adapter", "Bus", "Target", "LUNID")
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    BUS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    LUNID_FIELD_NUMBER: _ClassVar[int]
    Adapter: str
    Bus: str
    Target: str
    LUNID: str
    def __init__(self, Adapter: _Optional[str] = ..., Bus: _Optional[str] = ..., Target: _Optional[str] = ..., LUNID: _Optional[str] = ...) -> None: ...

class ListDiskLocationsResponse(_message.Message):
    __slots__ = ("disk_locations",)
    class DiskLocationsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: DiskLocation
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[DiskLocation, _Mapping]] = ...) -> None: ...
    DISK_LOCATIONS_FIELD_NUMBER: _ClassVar[int]
    disk_locations: _containers.MessageMap[int, DiskLocation]
    def __init__(self, disk_locations: _Optional[_Mapping[int, DiskLocation]] = ...) -> None: ...

class PartitionDiskRequest(_message.Message):
    __slots__ = ("disk_number",)
    DISK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    disk_number: int
    def __init__(self, disk_number: _Optional[int] = ...) -> None: ...

class PartitionDiskResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RescanRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RescanResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListDiskIDsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiskIDs(_message.Message):
    __slots__ = ("page83", "serial_number")
    PAGE83_FIELD_NUMBER: _ClassVar[int]
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    page83: str
    serial_number: str
    def __init__(self, page83: _Optional[str] = ..., serial_number: _Optional[str] = ...) -> None: ...

class ListDiskIDsResponse(_message.Message):
    __slots__ = ("diskIDs",)
    class DiskIDsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: DiskIDs
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[DiskIDs, _Mapping]] = ...) -> None: ...
    DISKIDS_FIELD_NUMBER: _ClassVar[int]
    diskIDs: _containers.MessageMap[int, DiskIDs]
    def __init__(self, diskIDs: _Optional[_Mapping[int, DiskIDs]] = ...) -> None: ...

class GetDiskStatsRequest(_message.Message):
    __slots__ = ("disk_number",)
    DISK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    disk_number: int
    def __init__(self, disk_number: _Optional[int] = ...) -> None: ...

class GetDiskStatsResponse(_message.Message):
    __slots__ = ("total_bytes",)
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    total_bytes: int
    def __init__(self, total_bytes: _Optional[int] = ...) -> None: ...

class SetDiskStateRequest(_message.Message):
    __slots__ = ("disk_number", "is_online")
    DISK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    IS_ONLINE_FIELD_NUMBER: _ClassVar[int]
    disk_number: int
    is_online: bool
    def __init__(self, disk_number: _Optional[int] = ..., is_online: _Optional[bool] = ...) -> None: ...

class SetDiskStateResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetDiskStateRequest(_message.Message):
    __slots__ = ("disk_number",)
    DISK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    disk_number: int
    def __init__(self, disk_number: _Optional[int] = ...) -> None: ...

class GetDiskStateResponse(_message.Message):
    __slots__ = ("is_online",)
    IS_ONLINE_FIELD_NUMBER: _ClassVar[int]
    is_online: bool
    def __init__(self, is_online: _Optional[bool] = ...) -> None: ...
