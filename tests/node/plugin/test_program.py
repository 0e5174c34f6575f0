"""The plugin as a process."""

import signal
import subprocess
import sys

import pytest
from tests.node.plugin.ground import DRIVER, PluginProcess

from csiproxy.csi import v1_pb2


@pytest.fixture
def process(node, short_directory):
    running = PluginProcess(node, short_directory)
    yield running
    running.close()
    node.control.reset()


def test_it_serves_until_it_is_told_to_end(process, short_directory):
    assert process.plugin.call(v1_pb2.GetPluginInfoRequest()).name == DRIVER
    process.process.send_signal(signal.SIGTERM)
    assert process.process.wait(60) == 0
    assert not (short_directory / "csi.sock").exists()


def test_what_a_killed_one_has_staged_the_next_one_takes_down(process):
    plugin = process.plugin
    _, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    plugin.call(plugin.publish_request("v", "pod"))
    process.kill()
    process.start()
    (plugin.pod_directory("pod") / "f").write_text("x")
    plugin.call(plugin.publish_request("v", "pod"))
    plugin.unpublish("v", "pod")
    plugin.unstage("v")


def test_a_volume_lives_on_while_the_proxy_is_gone(process):
    plugin = process.plugin
    _, publish = plugin.disk()
    plugin.call(plugin.stage_request("v", publish))
    plugin.call(plugin.publish_request("v", "pod"))
    plugin.node.kill_proxy()
    (plugin.pod_directory("pod") / "f").write_text("x")
    plugin.node.start()
    plugin.unpublish("v", "pod")
    plugin.unstage("v")


def test_a_place_that_is_served_already_is_left_alone(process, short_directory):
    command = [sys.executable, "-m", "csiproxy", "node-plugin", f"--endpoint={short_directory}/csi.sock",
               "--node-id=n", f"--proxy-endpoints={short_directory}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "live server" in done.stderr
    assert process.plugin.call(v1_pb2.ProbeRequest()).ready.value
