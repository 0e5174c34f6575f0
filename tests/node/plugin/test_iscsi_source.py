"""iSCSI targets through the whole plugin, with a real target."""

import pytest
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG

from csiproxy.client import TargetPortal
from csiproxy.errors import Code, InvalidArgument
from csiproxy.node.plugin.iscsi_source import _read_portal

pytestmark = pytest.mark.foreign
CHAP = {"chapUsername": USER, "chapSecret": SECRET}


class Target:
    """A target and what stages a LUN of it."""

    def __init__(self, plugin, server):
        self.plugin, self.server = plugin, server

    def stage(self, iqn, volume="v", secrets=None, **context):
        context = {"type": "iscsi", "portal": f"127.0.0.1:{self.server.port}", "iqn": iqn, **context}
        return self.plugin.stage_request(volume, {}, volume_context=context, secrets=secrets or {})


@pytest.fixture
def target(plugin, target_server):
    return Target(plugin, target_server)


def test_a_lun_lives_from_stage_to_unstage_and_the_session_ends(plugin, target):
    iqn = target.server.offer()
    for _ in range(2):
        plugin.call(target.stage(iqn))
    plugin.call(plugin.publish_request("v", "pod", volume_context={"type": "iscsi"}))
    (plugin.pod_directory("pod") / "file").write_text("kept")
    assert target.server.sessions(iqn) == 1
    plugin.unpublish("v", "pod")
    plugin.unstage("v")
    assert target.server.sessions(iqn) == 0
    with plugin.node.client() as client:
        assert client.iscsi.list_target_portals() == ()


def test_the_session_stays_as_long_as_another_volume_needs_it(plugin, target):
    iqn = target.server.offer(luns=2)
    error = plugin.fails(target.stage(iqn))
    assert error.code is Code.FAILED_PRECONDITION
    assert "'lun'" in error.message
    plugin.call(target.stage(iqn, "v", lun="1"))
    plugin.call(target.stage(iqn, "w", lun="2"))
    plugin.unstage("v")
    assert target.server.sessions(iqn) == 1
    plugin.call(plugin.publish_request("w", "pod", volume_context={"type": "iscsi"}))
    (plugin.pod_directory("pod") / "file").write_text("x")
    plugin.unpublish("w", "pod")
    plugin.unstage("w")
    assert target.server.sessions(iqn) == 0
    with plugin.node.client() as client:
        assert client.iscsi.list_target_portals() == ()


def test_a_portal_that_the_node_knew_before_stays(plugin, target):
    iqn = target.server.offer()
    portal = TargetPortal("127.0.0.1", target.server.port)
    with plugin.node.client() as client:
        client.system.start_service("MSiSCSI")
        client.iscsi.add_target_portal(portal)
        plugin.call(target.stage(iqn))
        plugin.unstage("v")
        assert client.iscsi.list_target_portals() == (portal,)


@pytest.mark.parametrize("chap", ["one-way", "mutual"])
def test_chap_is_used_as_the_context_says_and_wrong_secrets_are_refused(plugin, target, chap):
    iqn = target.server.offer(chap=chap)
    auth = {"one-way": "chap", "mutual": "mutual"}[chap]
    secrets = {**CHAP, "mutualChapSecret": TARGET_SECRET}
    wrong = plugin.fails(target.stage(iqn, auth=auth, secrets={**secrets, "chapSecret": WRONG}))
    assert wrong.code is Code.PERMISSION_DENIED
    assert plugin.fails(target.stage(iqn, auth=auth)).code is Code.INVALID_ARGUMENT
    plugin.call(target.stage(iqn, auth=auth, secrets=secrets))
    assert target.server.sessions(iqn) == 1
    plugin.unstage("v")
    written = [record for record in plugin.node.audit() if SECRET in str(record) or WRONG in str(record)]
    assert written == []


def test_a_failed_stage_leaves_no_session_behind_after_unstage(plugin, target):
    iqn = target.server.offer(luns=2)
    plugin.fails(target.stage(iqn))
    plugin.unstage("v")
    assert target.server.sessions(iqn) == 0


@pytest.mark.parametrize(
    ("text", "portal"),
    [
        ("host", TargetPortal("host", 3260)),
        ("10.0.0.1:3261", TargetPortal("10.0.0.1", 3261)),
        ("[fe80::1]:1", TargetPortal("[fe80::1]", 1)),
    ],
)
def test_a_portal_is_a_host_and_perhaps_a_port(text, portal):
    assert _read_portal(text) == portal


@pytest.mark.parametrize("text", ["", ":3260", "host:0", "host:x", "host:70000"])
def test_what_is_no_portal_is_refused(text):
    with pytest.raises(InvalidArgument):
        _read_portal(text)
