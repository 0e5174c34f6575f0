# mypy: disable-error-code="type-arg"
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PathContext(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PLUGIN: _ClassVar[PathContext]
    POD: _ClassVar[PathContext]
PLUGIN: PathContext
POD: PathContext

class PathExistsRequest(_message.Message):
    __slots__ = ("path", "context")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    path: str
    context: PathContext
    def __init__(self, path: _Optional[str] = ..., context: _Optional[_Union[PathContext, str]] = ...) -> None: ...

class PathExistsResponse(_message.Message):
    __slots__ = ("error", "exists")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    error: str
    exists: bool
    def __init__(self, error: _Optional[str] = ..., exists: _Optional[bool] = ...) -> None: ...

class MkdirRequest(_message.Message):
    __slots__ = ("path", "context")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    path: str
    context: PathContext
    def __init__(self, path: _Optional[str] = ..., context: _Optional[_Union[PathContext, str]] = ...) -> None: ...

class MkdirResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...

class RmdirRequest(_message.Message):
    __slots__ = ("path", "context", "force")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    path: str
    context: PathContext
    force: bool
    def __init__(self, path: _Optional[str] = ..., context: _Optional[_Union[PathContext, str]] = ..., force: _Optional[bool] = ...) -> None: ...

class RmdirResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...

class LinkPathRequest(_message.Message):
    __slots__ = ("source_path", "target_path")
    SOURCE_PATH_FIELD_NUMBER: _ClassVar[int]
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    source_path: str
    target_path: str
    def __init__(self, source_path: _Optional[str] = ..., target_path: _Optional[str] = ...) -> None: ...

class LinkPathResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...

class IsMountPointRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class IsMountPointResponse(_message.Message):
    __slots__ = ("error", "is_mount_point")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    IS_MOUNT_POINT_FIELD_NUMBER: _ClassVar[int]
    error: str
    is_mount_point: bool
    def __init__(self, error: _Optional[str] = ..., is_mount_point: _Optional[bool] = ...) -> None: ...
