import re

import pytest

from csiproxy.csi import v1_pb2

must = pytest.mark.must
Capability = v1_pb2.PluginCapability


def info(csi):
    return csi(v1_pb2.GetPluginInfoRequest())


def capabilities(csi):
    return csi(v1_pb2.GetPluginCapabilitiesRequest()).capabilities


@must("info.name")
def test_the_name_is_a_domain_name(csi):
    assert re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9.-]{0,61}[a-zA-Z0-9])?", info(csi).name)


@must("info.version")
def test_the_release_is_said(csi):
    assert info(csi).vendor_version


@must("info.stable")
def test_the_name_outlives_a_restart(bed, csi):
    before = info(csi).name
    bed.driver.process.kill()
    bed.driver.process.wait(60)
    bed.driver.start()
    assert info(csi).name == before


@must("capabilities.controller")
def test_the_controller_is_announced_and_served(csi):
    assert Capability.Service.CONTROLLER_SERVICE in [c.service.type for c in capabilities(csi)]
    assert csi(v1_pb2.ControllerGetCapabilitiesRequest()).capabilities


@must("capabilities.expansion")
def test_how_volumes_grow_is_announced(csi):
    assert Capability.VolumeExpansion.ONLINE in [c.volume_expansion.type for c in capabilities(csi)]


@must("probe.ready")
def test_it_is_ready(csi):
    reply = csi(v1_pb2.ProbeRequest())
    assert not reply.HasField("ready") or reply.ready.value


@must("probe.not-ready")
def test_without_its_proxy_it_is_not_ready_and_does_not_fail(bed, csi):
    bed.nodes[0].kill_proxy()
    try:
        assert not csi(v1_pb2.ProbeRequest()).ready.value
    finally:
        bed.nodes[0].start()
    assert csi(v1_pb2.ProbeRequest()).ready.value
