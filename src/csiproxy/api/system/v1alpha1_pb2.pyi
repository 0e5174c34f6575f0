# mypy: disable-error-code="type-arg"
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServiceStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNKNOWN: _ClassVar[ServiceStatus]
    STOPPED: _ClassVar[ServiceStatus]
    START_PENDING: _ClassVar[ServiceStatus]
    STOP_PENDING: _ClassVar[ServiceStatus]
    RUNNING: _ClassVar[ServiceStatus]
    CONTINUE_PENDING: _ClassVar[ServiceStatus]
    PAUSE_PENDING: _ClassVar[ServiceStatus]
    PAUSED: _ClassVar[ServiceStatus]

class StartType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BOOT: _ClassVar[StartType]
    SYSTEM: _ClassVar[StartType]
    AUTOMATIC: _ClassVar[StartType]
    MANUAL: _ClassVar[StartType]
    DISABLED: _ClassVar[StartType]
UNKNOWN: ServiceStatus
STOPPED: ServiceStatus
START_PENDING: ServiceStatus
STOP_PENDING: ServiceStatus
RUNNING: ServiceStatus
CONTINUE_PENDING: ServiceStatus
PAUSE_PENDING: ServiceStatus
PAUSED: ServiceStatus
BOOT: StartType
SYSTEM: StartType
AUTOMATIC: StartType
MANUAL: StartType
DISABLED: StartType

class GetBIOSSerialNumberRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetBIOSSerialNumberResponse(_message.Message):
    __slots__ = ("serial_number",)
    SERIAL_NUMBER_FIELD_NUMBER: _ClassVar[int]
    serial_number: str
    def __init__(self, serial_number: _Optional[str] = ...) -> None: ...

class StartServiceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StartServiceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StopServiceRequest(_message.Message):
    __slots__ = ("name", "force")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    force: bool
    def __init__(self, name: _Optional[str] = ..., force: _Optional[bool] = ...) -> None: ...

class StopServiceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServiceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetServiceResponse(_message.Message):
    __slots__ = ("display_name", "start_type", "status")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    START_TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    start_type: StartType
    status: ServiceStatus
    def __init__(self, display_name: _Optional[str] = ..., start_type: _Optional[_Union[StartType, str]] = ..., status: _Optional[_Union[ServiceStatus, str]] = ...) -> None: ...
