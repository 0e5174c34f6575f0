# mypy: disable-error-code="type-arg"
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PathExistsRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class PathExistsResponse(_message.Message):
    __slots__ = ("exists",)
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    exists: bool
    def __init__(self, exists: _Optional[bool] = ...) -> None: ...

class MkdirRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class MkdirResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RmdirRequest(_message.Message):
    __slots__ = ("path", "force")
    PATH_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    path: str
    force: bool
    def __init__(self, path: _Optional[str] = ..., force: _Optional[bool] = ...) -> None: ...

class RmdirResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateSymlinkRequest(_message.Message):
    __slots__ = ("source_path", "target_path")
    SOURCE_PATH_FIELD_NUMBER: _ClassVar[int]
    TARGET_PATH_FIELD_NUMBER: _ClassVar[int]
    source_path: str
    target_path: str
    def __init__(self, source_path: _Optional[str] = ..., target_path: _Optional[str] = ...) -> None: ...

class CreateSymlinkResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class IsSymlinkRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class IsSymlinkResponse(_message.Message):
    __slots__ = ("is_symlink",)
    IS_SYMLINK_FIELD_NUMBER: _ClassVar[int]
    is_symlink: bool
    def __init__(self, is_symlink: _Optional[bool] = ...) -> None: ...
