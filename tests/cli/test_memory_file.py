import json

from tests.cli.conftest import CommandLine

from csiproxy.cli.demo.node import Node


def test_page_files_are_put_where_the_operator_says(node: Node, csi_proxy: CommandLine) -> None:
    shown = csi_proxy(
        "emulator", "memory-file", "page", "--state", node.directory, r"D:\pagefile.sys", "-o", "json"
    )
    assert json.loads(shown.out)["page_files"] == r"D:\pagefile.sys"
    shown = csi_proxy("emulator", "memory-file", "page", "--state", node.directory)
    assert shown.out.startswith("page files: none")


def test_a_dump_needs_a_path(node: Node, csi_proxy: CommandLine) -> None:
    shown = csi_proxy("emulator", "memory-file", "dump", "--state", node.directory, r"D:\MEMORY.DMP")
    assert shown.code == 0
    refused = csi_proxy("emulator", "memory-file", "dump", "--state", node.directory, "MEMORY.DMP")
    assert refused.code == 1
    assert "no path of a file" in refused.err
