# mypy: disable-error-code="type-arg"
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class NewSmbGlobalMappingRequest(_message.Message):
    __slots__ = ("remote_path", "local_path", "username", "password")
    REMOTE_PATH_FIELD_NUMBER: _ClassVar[int]
    LOCAL_PATH_FIELD_NUMBER: _ClassVar[int]
    USERNAME_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_FIELD_NUMBER: _ClassVar[int]
    remote_path: str
    local_path: str
    username: str
    password: str
    def __init__(self, remote_path: _Optional[str] = ..., local_path: _Optional[str] = ..., username: _Optional[str] = ..., password: _Optional[str] = ...) -> None: ...

class NewSmbGlobalMappingResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...

class RemoveSmbGlobalMappingRequest(_message.Message):
    __slots__ = ("remote_path",)
    REMOTE_PATH_FIELD_NUMBER: _ClassVar[int]
    remote_path: str
    def __init__(self, remote_path: _Optional[str] = ...) -> None: ...

class RemoveSmbGlobalMappingResponse(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: str
    def __init__(self, error: _Optional[str] = ...) -> None: ...
