# mypy: disable-error-code="type-arg"
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AuthenticationType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NONE: _ClassVar[AuthenticationType]
    ONE_WAY_CHAP: _ClassVar[AuthenticationType]
    MUTUAL_CHAP: _ClassVar[AuthenticationType]
NONE: AuthenticationType
ONE_WAY_CHAP: AuthenticationType
MUTUAL_CHAP: AuthenticationType

class TargetPortal(_message.Message):
    __slots__ = ("target_address", "target_port")
    TARGET_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TARGET_PORT_FIELD_NUMBER: _ClassVar[int]
    target_address: str
    target_port: int
    def __init__(self, target_address: _Optional[str] = ..., target_port: _Optional[int] = ...) -> None: ...

class AddTargetPortalRequest(_message.Message):
    __slots__ = ("target_portal",)
    TARGET_PORTAL_FIELD_NUMBER: _ClassVar[int]
    target_portal: TargetPortal
    def __init__(self, target_portal: _Optional[_Union[TargetPortal, _Mapping]] = ...) -> None: ...

class AddTargetPortalResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DiscoverTargetPortalRequest(_message.Message):
    __slots__ = ("target_portal",)
    TARGET_PORTAL_FIELD_NUMBER: _ClassVar[int]
    target_portal: TargetPortal
    def __init__(self, target_portal: _Optional[_Union[TargetPortal, _Mapping]] = ...) -> None: ...

class DiscoverTargetPortalResponse(_message.Message):
    __slots__ = ("iqns",)
    IQNS_FIELD_NUMBER: _ClassVar[int]
    iqns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, iqns: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveTargetPortalRequest(_message.Message):
    __slots__ = ("target_portal",)
    TARGET_PORTAL_FIELD_NUMBER: _ClassVar[int]
    target_portal: TargetPortal
    def __init__(self, target_portal: _Optional[_Union[TargetPortal, _Mapping]] = ...) -> None: ...

class RemoveTargetPortalResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTargetPortalsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTargetPortalsResponse(_message.Message):
    __slots__ = ("target_portals",)
    TARGET_PORTALS_FIELD_NUMBER: _ClassVar[int]
    target_portals: _containers.RepeatedCompositeFieldContainer[TargetPortal]
    def __init__(self, target_portals: _Optional[_Iterable[_Union[TargetPortal, _Mapping]]] = ...) -> None: ...

class ConnectTargetRequest(_message.Message):
    __slots__ = ("target_portal", "iqn", "auth_type", "chap_username", "chap_secret")
    TARGET_PORTAL_FIELD_NUMBER: _ClassVar[int]
    IQN_FIELD_NUMBER: _ClassVar[int]
    AUTH_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHAP_USERNAME_FIELD_NUMBER: _ClassVar[int]
    CHAP_SECRET_FIELD_NUMBER: _ClassVar[int]
    target_portal: TargetPortal
    iqn: str
    auth_type: AuthenticationType
    chap_username: str
    chap_secret: str
    def __init__(self, target_portal: _Optional[_Union[TargetPortal, _Mapping]] = ..., iqn: _Optional[str] = ..., auth_type: _Optional[_Union[AuthenticationType, str]] = ..., chap_username: _Optional[str] = ..., chap_secret: _Optional[str] = ...) -> None: ...

class ConnectTargetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTargetDisksRequest(_message.Message):
    __slots__ = ("target_portal", "iqn")
    TARGET_PORTAL_FIELD_NUMBER: _ClassVar[int]
    IQN_FIELD_NUMBER: _ClassVar[int]
    target_portal: TargetPortal
    iqn: str
    def __init__(self, target_portal: _Optional[_Union[TargetPortal, _Mapping]] = ..., iqn: _Optional[str] = ...) -> None: ...

class GetTargetDisksResponse(_message.Message):
    __slots__ = ("diskIDs",)
    DISKIDS_FIELD_NUMBER: _ClassVar[int]
    diskIDs: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, diskIDs: _Optional[_Iterable[str]] = ...) -> None: ...

class DisconnectTargetRequest(_message.Message):
    __slots__ = ("target_portal", "iqn")
    TARGET_PORTAL_FIELD_NUMBER: _ClassVar[int]
    IQN_FIELD_NUMBER: _ClassVar[int]
    target_portal: TargetPortal
    iqn: str
    def __init__(self, target_portal: _Optional[_Union[TargetPortal, _Mapping]] = ..., iqn: _Optional[str] = ...) -> None: ...

class DisconnectTargetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
