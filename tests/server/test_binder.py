"""Messages become arguments and results become messages, by what an operation's annotations say."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.api.csi_proxy_service import v1beta1_pb2 as service
from csiproxy.api.disk import v1_pb2 as disk
from csiproxy.api.iscsi import v1alpha2_pb2 as iscsi
from csiproxy.api.smb import v1_pb2 as smb
from csiproxy.api.system import v1alpha1_pb2 as system
from csiproxy.api.volume import v1_pb2 as volume
from csiproxy.errors import InvalidArgument
from csiproxy.operations.context import Context
from csiproxy.operations.secret import Secret
from csiproxy.server.binder import ShapeError, bind

DiskNumber = NewType("DiskNumber", int)


class AuthenticationType(IntEnum):
    NONE = 0
    ONE_WAY_CHAP = 1
    MUTUAL_CHAP = 2


@dataclass(frozen=True, slots=True)
class TargetPortal:
    target_address: str
    target_port: int


@dataclass(frozen=True, slots=True)
class DiskStats:
    total_bytes: int


@dataclass(frozen=True, slots=True)
class DiskLocation:
    adapter: str
    bus: str
    target: str
    lun_id: str


@dataclass(frozen=True, slots=True)
class DiskLocations:
    disk_locations: dict[DiskNumber, DiskLocation]


@dataclass(frozen=True, slots=True)
class VolumeIds:
    volume_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetPortals:
    target_portals: list[TargetPortal]


def get_disk_stats(context: Context, disk_number: DiskNumber) -> DiskStats: ...
def set_disk_state(context: Context, disk_number: int, is_online: bool) -> None: ...
def list_disk_locations(context: Context) -> DiskLocations: ...
def list_volumes_on_disk(context: Context, disk_number: int, partition_number: int) -> VolumeIds: ...
def add_target_portal(context: Context, target_portal: TargetPortal | None) -> None: ...
def list_target_portals(context: Context) -> TargetPortals: ...
def set_mutual_chap_secret(context: Context, mutual_chap_secret: Secret) -> None: ...
def connect_target(
    context: Context,
    target_portal: TargetPortal | None,
    iqn: str,
    auth_type: AuthenticationType,
    chap_username: str,
    chap_secret: Secret,
) -> None: ...


CONNECT = bind(connect_target, iscsi.ConnectTargetRequest, iscsi.ConnectTargetResponse)


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_plain_fields_are_passed_under_the_parameters_names(number: int, online: bool) -> None:
    binding = bind(set_disk_state, disk.SetDiskStateRequest, disk.SetDiskStateResponse)
    request = disk.SetDiskStateRequest(disk_number=number, is_online=online)
    assert binding.arguments(request) == {"disk_number": number, "is_online": online}
    assert binding.reply(None) == disk.SetDiskStateResponse()


def test_a_name_is_found_however_the_field_spells_it() -> None:
    binding = bind(
        set_mutual_chap_secret, iscsi.SetMutualChapSecretRequest, iscsi.SetMutualChapSecretResponse
    )
    request = iscsi.SetMutualChapSecretRequest(MutualChapSecret="hush")
    assert binding.arguments(request) == {"mutual_chap_secret": Secret("hush")}


def test_a_nested_message_becomes_the_dataclass_that_the_parameter_asks_for() -> None:
    request = iscsi.ConnectTargetRequest(
        target_portal=iscsi.TargetPortal(target_address="10.0.0.1", target_port=3260),
        iqn="iqn.2020-01.test:one",
        auth_type=iscsi.ONE_WAY_CHAP,
        chap_username="user",
        chap_secret="hush",
    )
    arguments = CONNECT.arguments(request)
    assert arguments["target_portal"] == TargetPortal("10.0.0.1", 3260)
    assert arguments["auth_type"] is AuthenticationType.ONE_WAY_CHAP
    assert arguments["chap_secret"] == Secret("hush")
    assert "hush" not in repr(arguments)


def test_an_unset_message_is_none() -> None:
    assert CONNECT.arguments(iscsi.ConnectTargetRequest())["target_portal"] is None


def test_a_message_that_is_set_to_its_defaults_is_not_none() -> None:
    request = iscsi.ConnectTargetRequest(target_portal=iscsi.TargetPortal())
    assert CONNECT.arguments(request)["target_portal"] == TargetPortal("", 0)


@given(st.integers(-(2**31), 2**31 - 1).filter(lambda n: n not in (0, 1, 2)))
def test_an_unknown_enum_number_names_the_field_and_the_allowed_values(number: int) -> None:
    with pytest.raises(
        InvalidArgument, match=r"auth_type -?\d+ .*0 \(NONE\), 1 \(ONE_WAY_CHAP\), 2 \(MUTUAL_CHAP\)"
    ) as caught:
        CONNECT.arguments(iscsi.ConnectTargetRequest(auth_type=number))
    assert caught.value.windows_code == 87


def test_an_enum_parameter_may_be_a_plain_number() -> None:
    def partition_disk(context: Context, disk_device: str, type: int) -> None: ...  # noqa: A002

    binding = bind(
        partition_disk,
        service.PartitionDiskRequest,
        service.PartitionDiskResponse,
        not_in_result=frozenset({"error_code", "volume_device"}),
    )
    assert binding.arguments(service.PartitionDiskRequest(type=7)) == {"disk_device": "", "type": 7}


def test_repeated_fields_become_tuples() -> None:
    @dataclass(frozen=True, slots=True)
    class Volumes:
        volume_devices: tuple[str, ...]

    def same(context: Context, volume_devices: tuple[str, ...]) -> Volumes: ...

    binding = bind(_resolved(same, Volumes), service.VolumeDevices, service.VolumeDevices)
    assert binding.arguments(service.VolumeDevices(volume_devices=["a", "b"])) == {
        "volume_devices": ("a", "b")
    }
    assert binding.reply(Volumes(("a", "b"))).volume_devices == ["a", "b"]


def _resolved(function, result: type):
    """Annotations of a function inside a test, as a module's own would be."""
    function.__annotations__["return"] = result
    return function


def test_maps_of_messages_become_dicts_of_dataclasses_and_back() -> None:
    def same(context: Context, disk_locations: Mapping[int, DiskLocation]) -> DiskLocations: ...

    binding = bind(same, disk.ListDiskLocationsResponse, disk.ListDiskLocationsResponse)
    wire = disk.ListDiskLocationsResponse()
    wire.disk_locations[3].LUNID = "7"
    arguments = binding.arguments(wire)
    assert arguments == {"disk_locations": {3: DiskLocation("", "", "", "7")}}
    assert binding.reply(DiskLocations(arguments["disk_locations"])) == wire


def test_repeated_messages_are_written_from_dataclasses() -> None:
    binding = bind(list_target_portals, iscsi.ListTargetPortalsRequest, iscsi.ListTargetPortalsResponse)
    reply = binding.reply(TargetPortals([TargetPortal("a", 1), TargetPortal("b", 2)]))
    assert [(portal.target_address, portal.target_port) for portal in reply.target_portals] == [
        ("a", 1),
        ("b", 2),
    ]


@given(st.text(st.characters(codec=None)))
def test_any_text_of_a_host_fits_into_a_reply(text: str) -> None:
    binding = bind(list_volumes_on_disk, volume.ListVolumesOnDiskRequest, volume.ListVolumesOnDiskResponse)
    reply = binding.reply(VolumeIds((text,)))
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert type(reply).FromString(reply.SerializeToString()).volume_ids == [paired]


def test_fields_that_somebody_else_sets_are_left_alone() -> None:
    @dataclass(frozen=True, slots=True)
    class Found:
        exists: bool

    def path_exists(context: Context, path: str) -> Found: ...

    binding = bind(
        _resolved(path_exists, Found),
        service.PathExistsRequest,
        service.PathExistsResponse,
        not_in_result=frozenset({"error_code"}),
    )
    assert binding.reply(Found(True)) == service.PathExistsResponse(exists=True, error_code=0)


class _Bus(IntEnum):
    NONE = 0
    ONE_WAY_CHAP = 1


@dataclass(frozen=True, slots=True)
class _Service:
    display_name: str
    start_type: int
    status: str


def _stats(context: Context, disk_number: int) -> DiskStats: ...
def _no_context(disk_number: int) -> DiskStats: ...
def _another_name(context: Context, disk: int) -> DiskStats: ...
def _too_many(context: Context, disk_number: int, more: int = 0) -> DiskStats: ...
def _too_few(context: Context) -> DiskStats: ...
def _no_annotation(context: Context, disk_number) -> DiskStats: ...  # type: ignore[no-untyped-def]
def _no_result(context: Context, disk_number: int) -> None: ...
def _no_result_annotation(context: Context, disk_number: int): ...  # type: ignore[no-untyped-def]
def _result_of_another_kind(context: Context, disk_number: int) -> int: ...
def _result_with_other_fields(context: Context, disk_number: int) -> VolumeIds: ...
def _wrong_type(context: Context, disk_number: str) -> DiskStats: ...
def _starred(context: Context, *disk_number: int) -> DiskStats: ...
def _positional(context: Context, disk_number: int, /) -> DiskStats: ...
def _open_secret(context: Context, mutual_chap_secret: str) -> None: ...
def _never_unset(context: Context, target_portal: TargetPortal) -> None: ...
def _portal_as_dict(context: Context, target_portal: dict[str, str] | None) -> None: ...
def _list_parameter(context: Context, volume_devices: list[str]) -> VolumeIds: ...
def _fewer_numbers(
    context: Context,
    target_portal: TargetPortal | None,
    iqn: str,
    auth_type: _Bus,
    chap_username: str,
    chap_secret: Secret,
) -> None: ...
def _status_as_text(context: Context, name: str) -> _Service: ...


STATS = (disk.GetDiskStatsRequest, disk.GetDiskStatsResponse)
PORTAL = (iscsi.AddTargetPortalRequest, iscsi.AddTargetPortalResponse)


@pytest.mark.parametrize(
    ("operation", "messages", "complaint"),
    [
        (_no_context, STATS, "first parameter must be the call's Context"),
        (_another_name, STATS, "parameter 'disk' has no field"),
        (_too_many, STATS, "parameter 'more' has no field"),
        (_too_few, STATS, "field 'disk_number' has no parameter"),
        (_no_annotation, STATS, "'disk_number' has no annotation"),
        (_no_result, STATS, "result is None, but the reply has total_bytes"),
        (_no_result_annotation, STATS, "result has no annotation"),
        (_result_of_another_kind, STATS, "must be a dataclass or None, not int"),
        (_result_with_other_fields, STATS, "result field 'volume_ids' has no field"),
        (_wrong_type, STATS, "'disk_number' must be int, not str"),
        (_starred, STATS, "cannot be given by its name"),
        (_positional, STATS, "cannot be given by its name"),
        (
            _open_secret,
            (iscsi.SetMutualChapSecretRequest, iscsi.SetMutualChapSecretResponse),
            "must be a Secret, not str",
        ),
        (_never_unset, PORTAL, r"may be unset and must be something \| None"),
        (_portal_as_dict, PORTAL, "is a message and must be a dataclass"),
        (
            _list_parameter,
            (service.VolumeDevices, volume.ListVolumesOnDiskResponse),
            "repeated and must be a tuple",
        ),
        (_fewer_numbers, (iscsi.ConnectTargetRequest, iscsi.ConnectTargetResponse), "have different numbers"),
        (
            _status_as_text,
            (system.GetServiceRequest, system.GetServiceResponse),
            "must be an int or an IntEnum, not str",
        ),
    ],
)
def test_an_operation_that_does_not_fit_is_refused_with_the_reason(
    operation, messages, complaint: str
) -> None:
    with pytest.raises(ShapeError, match=complaint):
        bind(operation, *messages)


def test_operations_that_fit_are_accepted() -> None:
    bind(_stats, *STATS)
    bind(get_disk_stats, *STATS)
    bind(list_disk_locations, disk.ListDiskLocationsRequest, disk.ListDiskLocationsResponse)
    bind(add_target_portal, *PORTAL)


def test_a_password_reaches_the_operation_as_a_secret() -> None:
    def new_smb_global_mapping(
        context: Context, remote_path: str, local_path: str, username: str, password: Secret
    ) -> None: ...

    binding = bind(new_smb_global_mapping, smb.NewSmbGlobalMappingRequest, smb.NewSmbGlobalMappingResponse)
    arguments = binding.arguments(smb.NewSmbGlobalMappingRequest(password="hush"))
    assert arguments["password"] == Secret("hush")
    assert "hush" not in str(arguments)
