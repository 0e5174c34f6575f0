"""The iscsi group through its versions, on a real target."""

import pytest
from tests.client.conftest import names, only
from tests.iscsi_target import SECRET, USER

from csiproxy.client import AuthenticationType, TargetPortal
from csiproxy.errors import InvalidArgument, NotFound, Unimplemented

NOWHERE = TargetPortal("192.0.2.1")


@pytest.fixture
def initiator(client):
    client.system.start_service("MSiSCSI")


@pytest.mark.foreign
@pytest.mark.parametrize("name", names("iscsi"))
def test_a_target_is_found_connected_and_left_in_every_version(
    name, node, initiator, target_server, tmp_path
):
    iqn = target_server.offer(f"sdk-{name.replace('/', '-')}", chap="one-way")
    portal = TargetPortal(target_server.address, target_server.port)
    with only(node, tmp_path, name) as client:
        iscsi = client.iscsi
        iscsi.add_target_portal(portal)
        assert portal in iscsi.list_target_portals()
        assert iqn in iscsi.discover_target_portal(portal)
        assert iscsi.get_target_disks(portal, iqn) == ()
        iscsi.connect_target(
            portal,
            iqn,
            auth_type=AuthenticationType.ONE_WAY_CHAP,
            chap_username=USER,
            chap_secret=SECRET,
        )
        [number] = iscsi.get_target_disks(portal, iqn)
        assert number > 0
        iscsi.disconnect_target(portal, iqn)
        iscsi.remove_target_portal(portal)
        assert portal not in iscsi.list_target_portals()


def test_what_is_not_known_is_not_found(client, initiator):
    with pytest.raises(NotFound):
        client.iscsi.discover_target_portal(NOWHERE)
    with pytest.raises(NotFound):
        client.iscsi.get_target_disks(NOWHERE, "iqn.2026-01.com.example:none")


def test_the_initiators_secret_is_checked_and_never_told(client, initiator, node, tmp_path):
    with pytest.raises(InvalidArgument) as refused:
        client.iscsi.set_mutual_chap_secret("too short")
    assert "too short" not in str(refused.value)
    client.iscsi.set_mutual_chap_secret("twelve bytes")
    with only(node, tmp_path, "iscsi/v1alpha1") as old:
        with pytest.raises(Unimplemented):
            old.iscsi.set_mutual_chap_secret("twelve bytes")
