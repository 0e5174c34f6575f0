import json

from tests.cli.conftest import CommandLine

from csiproxy.cli.demo.node import Node


def test_a_volume_gets_a_letter_and_loses_it(node: Node, csi_proxy: CommandLine) -> None:
    volume = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"
    refused = csi_proxy("emulator", "letter", "give", "--state", node.directory, "D", volume)
    assert refused.code == 1
    assert "there is no volume" in refused.err
    shown = csi_proxy("emulator", "letter", "list", "--state", node.directory, "-o", "json")
    assert json.loads(shown.out) == []
    refused = csi_proxy("emulator", "letter", "take", "--state", node.directory, "D")
    assert refused.code == 1
    assert "no volume has the letter D" in refused.err
