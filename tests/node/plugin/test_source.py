from csiproxy.node.plugin.secrets import Secrets
from csiproxy.node.plugin.source import Staging


def test_a_staging_call_prints_without_its_secrets(node):
    with node.client() as client:
        staging = Staging(client, "p", {}, {}, Secrets({"password": "hunter2"}), read_only=False)
    assert "hunter2" not in repr(staging)
