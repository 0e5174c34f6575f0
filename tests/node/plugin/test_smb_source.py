"""Shares through the whole plugin, with a real server."""

import pytest
from tests.node.plugin.ground import Mode, mounted, second_caller
from tests.samba import HOST, USER

from csiproxy.csi import v1_pb2
from csiproxy.errors import Code

pytestmark = pytest.mark.foreign
WRITERS = mounted(Mode.MULTI_NODE_MULTI_WRITER, fs_type="")


@pytest.fixture
def share(plugin, samba, foreign):
    foreign("fusermount3")
    user = samba.user()
    files = samba.share()
    plugin.node.control.set_smb_server("files", HOST, samba.port)
    return Share(plugin, files, {"username": user, "password": samba.passwords[USER]})


class Share:
    """A share and what stages it."""

    def __init__(self, plugin, files, secrets):
        self.plugin, self.files, self.secrets = plugin, files, secrets

    def stage(self, volume="v", source="//files/data", **fields):
        fields.setdefault("secrets", self.secrets)
        fields.setdefault("volume_capability", WRITERS)
        context = {"type": "smb", "source": source}
        return self.plugin.stage_request(volume, {}, volume_context=context, **fields)

    def publish(self, volume="v", pod="pod"):
        return self.plugin.publish_request(
            volume, pod, volume_context={"type": "smb"}, volume_capability=WRITERS
        )

    def mappings(self):
        records = [r["rpc"].rpartition("/")[2] for r in self.plugin.node.audit()]
        return records.count("RemoveSmbGlobalMapping")


def test_a_share_lives_from_stage_to_unstage(plugin, share):
    for _ in range(2):
        plugin.call(share.stage())
    for _ in range(2):
        plugin.call(share.publish())
    (plugin.pod_directory("pod") / "file").write_text("on the server")
    assert (share.files / "file").read_text() == "on the server"
    stats = v1_pb2.NodeGetVolumeStatsRequest(volume_id="v", volume_path=plugin.target_path("pod"))
    reply = plugin.call(stats)
    assert not reply.volume_condition.abnormal
    assert reply.usage[0].total > 0
    expand = v1_pb2.NodeExpandVolumeRequest(volume_id="v", volume_path=plugin.target_path("pod"))
    assert plugin.call(expand).capacity_bytes == 0
    plugin.unpublish("v", "pod")
    plugin.unstage("v")
    assert (share.files / "file").read_text() == "on the server"
    assert not plugin.node.path(plugin.staging_path_only("v")).exists()


def test_the_mapping_goes_with_the_last_volume_on_the_share(plugin, share):
    (share.files / "sub").mkdir(exist_ok=True)
    plugin.call(share.stage("v"))
    plugin.call(share.stage("w", "//FILES/Data/sub"))
    before = share.mappings()
    plugin.unstage("v")
    assert share.mappings() == before
    plugin.call(share.publish("w"))
    (plugin.pod_directory("pod") / "in-sub").write_text("x")
    assert (share.files / "sub" / "in-sub").exists()
    plugin.unpublish("w", "pod")
    plugin.unstage("w")
    assert share.mappings() == before + 1


def test_wrong_credentials_are_refused_and_are_nowhere_to_be_seen(plugin, share):
    wrong = {**share.secrets, "password": "wrong-password"}
    error = plugin.fails(share.stage(secrets=wrong))
    assert error.code is Code.PERMISSION_DENIED
    state = plugin.node.directory
    for text in (error.message, str(plugin.node.audit())):
        assert "wrong-password" not in text
    with second_caller(plugin) as second:
        assert second.fails(share.stage(secrets={"username": "u"})).code is Code.INVALID_ARGUMENT
    plugin.call(share.stage())
    found = [p for p in state.rglob("*.json") if b"password" in p.read_bytes()]
    assert found == []


@pytest.mark.parametrize("source", ["", "share", "//server", r"\\server", "C:/x"])
def test_what_is_no_share_is_refused(plugin, source):
    context = {"type": "smb", "source": source}
    request = plugin.stage_request("v", {}, volume_context=context, volume_capability=WRITERS)
    assert plugin.fails(request).code is Code.INVALID_ARGUMENT


def test_read_only_is_refused_as_a_mapping_never_is(plugin, share):
    plugin.call(share.stage())
    request = share.publish()
    request.readonly = True
    assert plugin.fails(request).code is Code.INVALID_ARGUMENT


def test_a_link_in_use_is_not_taken_away_by_staging_again(plugin, share):
    plugin.call(share.stage())
    before = plugin.node.path(plugin.staging_path_only("v")).lstat().st_ino
    plugin.call(share.stage())
    assert plugin.node.path(plugin.staging_path_only("v")).lstat().st_ino == before
