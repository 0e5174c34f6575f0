"""iSCSI targets, from a portal to a mounted volume."""

import pytest
from tests.iscsi_target import SECRET, TARGET_SECRET, USER

from csiproxy.client import TargetPortal
from csiproxy.errors import CsiProxyError, NotFound, PermissionDenied
from csiproxy.mounter import SafeFormatAndMount, iscsi
from csiproxy.mounter.iscsi import Chap

pytestmark = pytest.mark.foreign


@pytest.fixture
def portal(target_server):
    return TargetPortal(target_server.address, target_server.port)


def test_a_targets_disk_is_attached_formatted_and_let_go(
    node, client, target_server, portal, staging, request
):
    iqn = target_server.offer("mounter", chap="one-way")
    chap = Chap(USER, SECRET)
    for _ in range(2):
        [number] = iscsi.attach(client, portal, iqn, chap)
    safe = SafeFormatAndMount(client)
    safe.format_and_mount(number, staging)
    assert safe.mounter.is_mount_point(staging)
    with pytest.raises(CsiProxyError):
        iscsi.detach(client, portal, iqn)
    safe.unmount_device(staging)
    for _ in range(2):
        iscsi.detach(client, portal, iqn)


def test_both_sides_prove_themselves_where_that_is_asked_for(client, target_server, portal):
    iqn = target_server.offer("mutual", chap="mutual")
    [_] = iscsi.attach(client, portal, iqn, Chap(USER, SECRET, TARGET_SECRET))
    iscsi.detach(client, portal, iqn)


def test_a_target_without_chap_needs_no_login(client, target_server, portal):
    iqn = target_server.offer("open")
    [_] = iscsi.attach(client, portal, iqn)
    iscsi.detach(client, portal, iqn)


def test_a_wrong_secret_and_an_unknown_target_are_refused_without_showing_the_secret(
    node, target_server, portal
):
    iqn = target_server.offer("strict", chap="one-way")
    with node.client() as client:
        with pytest.raises(PermissionDenied) as refused:
            iscsi.attach(client, portal, iqn, Chap(USER, "hiddensecret"))
        with pytest.raises(NotFound, match="offers no target"):
            iscsi.attach(client, portal, iqn + "x")
    assert "hiddensecret" not in f"{refused.value!r}{Chap(USER, 'hiddensecret')!r}"
