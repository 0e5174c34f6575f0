"""Kubelet without a driver; with one it is tried in test_cluster.py."""

import pytest

from csiproxy.kubelet.paths import Drive
from csiproxy.testing.node_sim.kubelet import Kubelet, Volume, plugin_directory, staging_path, target_path
from csiproxy.testing.node_sim.retrying import Backoff, StepFailed

VOLUME = Volume("pvc-1", "d.example", "handle/../x", "ReadWriteOnce", (), {}, 1)


def test_a_handle_is_no_part_of_a_path():
    assert "handle" not in staging_path(VOLUME)
    assert staging_path(VOLUME).endswith(r"\globalmount")
    assert target_path("uid", VOLUME).endswith(r"\pods\uid\volumes\kubernetes.io~csi\pvc-1\mount")
    assert plugin_directory("d.example") == r"C:\var\lib\kubelet\plugins\d.example"


def test_a_driver_that_never_comes_is_given_up(short_directory):
    kubelet = Kubelet(Drive(str(short_directory)), Backoff(pace=0.001, seconds=0.1))
    try:
        assert kubelet.registered("d.example") == ""
        with pytest.raises(StepFailed, match="not registered"):
            kubelet.stage(VOLUME, {})
        assert (short_directory / "var/lib/kubelet/plugins_registry").is_dir()
    finally:
        kubelet.stop()
    kubelet.stop()
