"""MountISCSILun and UnmountISCSILun: one call from nothing to a disk, and back."""

import pytest
from tests.emulated import PLUGINS
from tests.iscsi_node import run_service
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG

from csiproxy.errors import (
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from csiproxy.host.cim import Instance
from csiproxy.operations.context import Context
from csiproxy.operations.csi_proxy_service import FileSystemType, PartitionType
from csiproxy.operations.iscsi import AuthenticationType
from csiproxy.operations.iscsi_lun import ARRIVAL_SECONDS
from csiproxy.operations.secret import Secret

pytestmark = pytest.mark.foreign
NONE, ONE_WAY, MUTUAL = AuthenticationType


@pytest.fixture
def call() -> Context:
    return Context()


@pytest.fixture
def service(node):
    run_service(node.machine)
    return node.operations(sleep=lambda _: None).csi_proxy_service


def mount(service, server, iqn, *, kind=NONE, user="", secret="", own="", lun=1, call=None, **fields) -> str:
    arguments = {
        "node_iqn": iqn,
        "auth_type": kind,
        "discovery_chap_username": "",
        "discovery_chap_secret": Secret(""),
        "session_chap_username": user,
        "session_chap_secret": Secret(secret),
        "target_portal_address": server.address,
        "target_portal_port": server.port,
        "readonly": False,
        "initiator_chap_secret": Secret(own),
        "lun": lun,
        **fields,
    }
    return service.mount_iscsi_lun(call or Context(), **arguments).disk_device


def refusal(wanted: type[CsiProxyError], call) -> CsiProxyError:
    with pytest.raises(wanted) as caught:
        call()
    assert not [secret for secret in (SECRET, TARGET_SECRET, WRONG) if secret in str(caught.value)]
    return caught.value


def test_one_call_leads_to_the_disk_and_twice_is_once(service, target_server):
    iqn = target_server.offer(luns=3)
    for _ in range(2):
        assert mount(service, target_server, iqn, lun=2) == r"\\.\PhysicalDrive2"
    assert mount(service, target_server, iqn, lun=3) == r"\\.\PhysicalDrive3"
    assert target_server.sessions(iqn) == 1


def test_unmounting_logs_out_and_twice_is_once(service, call, target_server):
    iqn = target_server.offer()
    mount(service, target_server, iqn)
    for _ in range(2):
        service.unmount_iscsi_lun(call, node_iqn=iqn)
    assert target_server.sessions(iqn) == 0


def test_a_target_that_the_node_never_saw_is_not_connected(service, call):
    service.unmount_iscsi_lun(call, node_iqn="iqn.2026-01.test:never")


def test_a_target_with_a_mounted_volume_stays(node, service, call, target_server):
    iqn = target_server.offer()
    disk = mount(service, target_server, iqn)
    volume = service.partition_disk(call, disk_device=disk, type=PartitionType.GPT).volume_device
    service.format_volume(call, volume_device=volume, type=FileSystemType.NTFS)
    service.mount_volume(call, volume_device=volume, target_path=node.make(PLUGINS + r"\pv"), readonly=False)
    assert (
        refusal(FailedPrecondition, lambda: service.unmount_iscsi_lun(call, node_iqn=iqn)).windows_code
        == 2404
    )
    service.dismount_volume(call, volume_device=volume)
    service.unmount_iscsi_lun(call, node_iqn=iqn)


@pytest.mark.parametrize(
    ("chap", "login"),
    [
        ("one-way", {"kind": ONE_WAY, "user": USER, "secret": SECRET}),
        ("mutual", {"kind": MUTUAL, "user": USER, "secret": SECRET, "own": TARGET_SECRET}),
    ],
)
def test_every_kind_of_chap_logs_in(service, target_server, chap, login):
    iqn = target_server.offer(chap=chap)
    assert mount(service, target_server, iqn, **login)


@pytest.mark.parametrize(
    "login",
    [
        {},
        {"kind": ONE_WAY, "user": USER, "secret": WRONG},
        {"kind": MUTUAL, "user": USER, "secret": SECRET, "own": WRONG},
    ],
)
def test_a_login_that_cannot_be_proved_is_1326(service, target_server, login):
    iqn = target_server.offer(chap="mutual")
    error = refusal(PermissionDenied, lambda: mount(service, target_server, iqn, **login))
    assert error.windows_code == 1326


def test_discovery_has_credentials_of_its_own(service, target_server):
    iqn = target_server.offer()
    target_server.demand_chap_of_discovery()
    refusal(PermissionDenied, lambda: mount(service, target_server, iqn))
    fields = {"discovery_chap_username": USER, "discovery_chap_secret": Secret(SECRET)}
    assert mount(service, target_server, iqn, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"node_iqn": "disk"},
        {"target_portal_address": ""},
        {"target_portal_port": 65536},
        {"session_chap_username": USER},
        {"discovery_chap_username": USER},
        {"discovery_chap_secret": Secret(SECRET)},
        {"kind": ONE_WAY},
        {"own": TARGET_SECRET},
        {"kind": MUTUAL, "user": USER, "secret": SECRET},
        {"kind": MUTUAL, "user": USER, "secret": SECRET, "own": SECRET},
        {"kind": MUTUAL, "user": USER, "secret": SECRET, "own": "short"},
    ],
)
def test_a_request_that_cannot_be_is_refused_before_anything_is_asked(node, target_server, fields):
    service = node.operations().csi_proxy_service  # its service does not run: who asks it learns 1062
    refusal(InvalidArgument, lambda: mount(service, target_server, "iqn.2026-01.test:x", **fields))


def test_a_portal_that_does_not_answer_is_unavailable_with_its_own_code(service, target_server):
    iqn = target_server.offer()
    target_server.kill()
    error = refusal(Unavailable, lambda: mount(service, target_server, iqn))
    assert error.windows_code == 1225


def test_a_lun_that_the_target_has_not_is_not_found_with_those_it_has(service, target_server):
    iqn = target_server.offer(luns=2)
    error = refusal(NotFound, lambda: mount(service, target_server, iqn, lun=7))
    assert (error.windows_code, "are: 1, 2" in str(error)) == (1168, True)


def test_lun_0_is_the_only_disk_of_a_target_that_has_none(service, target_server):
    assert mount(service, target_server, target_server.offer("one"), lun=0)
    two = target_server.offer("two", luns=2)
    refusal(NotFound, lambda: mount(service, target_server, two, lun=0))


class Late:
    """A host whose disks come some questions after the login, as Windows' do."""

    def __init__(self, session, questions: int) -> None:
        self._session = session
        self.left = questions

    def __getattr__(self, name):
        return getattr(self._session, name)

    def associated(self, instance: Instance, association: str, result_class: str, result_role: str = ""):
        if result_class == "MSFT_Disk" and self.left:
            self.left -= 1
            return []
        return self._session.associated(instance, association, result_class, result_role)


def test_a_disk_that_comes_late_is_waited_for(node, target_server):
    run_service(node.machine)
    slept = []
    late = Late(node.machine.session, 5)
    service = node.operations(cim=late, sleep=slept.append).csi_proxy_service
    assert mount(service, target_server, target_server.offer()) == r"\\.\PhysicalDrive1"
    assert (late.left, len(slept)) == (0, 5)


def test_a_disk_that_never_comes_is_waited_for_so_long(node, target_server):
    run_service(node.machine)
    slept = []
    service = node.operations(cim=Late(node.machine.session, 10**6), sleep=slept.append).csi_proxy_service
    error = refusal(NotFound, lambda: mount(service, target_server, target_server.offer()))
    assert "none" in str(error)
    assert sum(slept) == pytest.approx(ARRIVAL_SECONDS, abs=0.3)


def disk(node) -> Instance:
    [disk] = node.machine.session.instances("MSFT_Disk", Number=1)
    return disk


def test_a_readonly_lun_is_a_readonly_disk_that_is_online(node, service, target_server):
    mount(service, target_server, target_server.offer(), readonly=True)
    assert (disk(node).flag("IsOffline"), disk(node).flag("IsReadOnly")) == (False, True)


def test_a_lun_that_is_writable_again_loses_what_readonly_gave_it(node, service, call, target_server):
    iqn = target_server.offer()
    mount(service, target_server, iqn, readonly=True)
    mount(service, target_server, iqn)
    assert not disk(node).flag("IsReadOnly")
    service.partition_disk(call, disk_device=r"\\.\PhysicalDrive1", type=PartitionType.GPT)
    mount(service, target_server, iqn, readonly=True)
    assert disk(node).flag("IsReadOnly")


def test_what_an_administrator_made_readonly_stays_so(node, service, target_server):
    iqn = target_server.offer()
    mount(service, target_server, iqn)
    node.machine.session.invoke(disk(node), "Online")
    mount(service, target_server, iqn)
    assert disk(node).flag("IsReadOnly")
