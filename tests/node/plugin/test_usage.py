from csiproxy.client import VolumeStats
from csiproxy.node.plugin.capability import Kind, Use
from csiproxy.node.plugin.records import Record, Source
from csiproxy.node.plugin.usage import look

HOME = r"C:\var\lib\kubelet"


def record(kind, volume=""):
    return Record("v", HOME + r"\s", Use("SINGLE_NODE_WRITER"), Source(kind), volume=volume, staged=True)


def test_a_path_that_leads_nowhere_is_a_problem_and_nothing_is_measured(node):
    with node.client() as client:
        found = look(client, record(Kind.DISK), HOME + r"\none", lambda _: None)
    assert found.stats is None
    assert "leads nowhere" in found.problem


def test_a_share_is_measured_where_it_can_be_seen(node):
    with node.client() as client:
        client.filesystem.mkdir(HOME + r"\share")
        client.filesystem.create_symlink(source_path=HOME + r"\share", target_path=HOME + r"\s")
        for stats in (VolumeStats(2, 1), None):
            found = look(client, record(Kind.SMB), HOME + r"\s", lambda _, stats=stats: stats)
            assert (found.stats, found.problem) == (stats, "")


def test_a_volume_that_has_gone_is_a_problem(node):
    gone = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"
    with node.client() as client:
        client.filesystem.mkdir(HOME + r"\dir")
        client.filesystem.create_symlink(source_path=HOME + r"\dir", target_path=HOME + r"\t")
        found = look(client, record(Kind.DISK, gone), HOME + r"\t", lambda _: None)
    assert found.stats is None
    assert "cannot be measured" in found.problem
