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
        key: str
        value: DiskLocation
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[DiskLocation, _Mapping]] = ...) -> None: ...
    DISK_LOCATIONS_FIELD_NUMBER: _ClassVar[int]
    disk_locations: _containers.MessageMap[str, DiskLocation]
    def __init__(self, disk_locations: _Optional[_Mapping[str, DiskLocation]] = ...) -> None: ...

class PartitionDiskRequest(_message.Message):
    __slots__ = ("diskID",)
    DISKID_FIELD_NUMBER: _ClassVar[int]
    diskID: str
    def __init__(self, diskID: _Optional[str] = ...) -> None: ...

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
    __slots__ = ("identifiers",)
    class IdentifiersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    identifiers: _containers.ScalarMap[str, str]
    def __init__(self, identifiers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListDiskIDsResponse(_message.Message):
    __slots__ = ("diskIDs",)
    class DiskIDsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: DiskIDs
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[DiskIDs, _Mapping]] = ...) -> None: ...
    DISKIDS_FIELD_NUMBER: _ClassVar[int]
    diskIDs: _containers.MessageMap[str, DiskIDs]
    def __init__(self, diskIDs: _Optional[_Mapping[str, DiskIDs]] = ...) -> None: ...

class DiskStatsRequest(_message.Message):
    __slots__ = ("diskID",)
    DISKID_FIELD_NUMBER: _ClassVar[int]
    diskID: str
    def __init__(self, diskID: _Optional[str] = ...) -> None: ...

class DiskStatsResponse(_message.Message):
    __slots__ = ("diskSize",)
    DISKSIZE_FIELD_NUMBER: _ClassVar[int]
    diskSize: int
    def __init__(self, diskSize: _Optional[int] = ...) -> None: ...
