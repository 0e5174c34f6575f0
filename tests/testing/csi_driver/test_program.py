"""A whole CSI life through one socket."""

import os
import subprocess
import sys

from tests.testing.csi_driver.ground import MIB, mounted

from csiproxy.csi import v1_pb2
from csiproxy.errors import Code

KUBELET = r"C:\var\lib\kubelet"
STAGING = KUBELET + r"\plugins\kubernetes.io\csi\d\v\globalmount"
TARGET = KUBELET + r"\pods\p\volumes\kubernetes.io~csi\v\mount"


def test_a_volume_lives_from_create_to_delete(driver, nodes):
    for path in (STAGING, TARGET.rpartition("\\")[0]):
        os.makedirs(nodes[0].path(path), exist_ok=True)
    volume = driver.create("pvc")
    context = driver.call(driver.attach_request(volume.volume_id)).publish_context
    shared = {"volume_id": volume.volume_id, "publish_context": context, "volume_capability": mounted(),
              "staging_target_path": STAGING, "volume_context": volume.volume_context}  # fmt: skip
    driver.call(v1_pb2.NodeStageVolumeRequest(**shared))
    driver.call(v1_pb2.NodePublishVolumeRequest(target_path=TARGET, **shared))
    (nodes[0].path(TARGET) / "f").write_text("x")
    expand = v1_pb2.ControllerExpandVolumeRequest(volume_id=volume.volume_id)
    expand.capacity_range.required_bytes = 128 * MIB
    driver.call(expand)
    grow = v1_pb2.NodeExpandVolumeRequest(volume_id=volume.volume_id, volume_path=TARGET)
    grow.capacity_range.required_bytes = 128 * MIB
    assert driver.call(grow).capacity_bytes == 128 * MIB
    assert (nodes[0].path(TARGET) / "f").read_text() == "x"
    driver.call(v1_pb2.NodeUnpublishVolumeRequest(volume_id=volume.volume_id, target_path=TARGET))
    driver.call(v1_pb2.NodeUnstageVolumeRequest(volume_id=volume.volume_id, staging_target_path=STAGING))
    driver.detach(volume.volume_id, "node-1")
    driver.delete(volume.volume_id)
    assert list(driver.images.iterdir()) == []


def test_without_a_proxy_it_is_a_controller_alone(short_directory):
    ready, told = os.pipe()
    command = [sys.executable, "-m", "csiproxy", "testing", "csi-driver", "--node-id=c",
               f"--endpoint={short_directory}/s", f"--images={short_directory}/i",
               f"--ready-fd={told}"]  # fmt: skip
    process = subprocess.Popen(command, pass_fds=[told], stdout=subprocess.DEVNULL)
    os.close(told)
    try:
        with os.fdopen(ready, "rb") as reader:
            assert reader.read() == b"READY\n"
        from csiproxy.csi import address
        from csiproxy.csi.calling import Caller
        from csiproxy.rpc.status import RpcError

        caller = Caller(address.channel(f"{short_directory}/s"), v1_pb2.DESCRIPTOR)
        capabilities = caller.call(
            v1_pb2.GetPluginCapabilitiesRequest(), v1_pb2.GetPluginCapabilitiesResponse, timeout=60
        ).capabilities
        assert v1_pb2.PluginCapability.Service.CONTROLLER_SERVICE in [c.service.type for c in capabilities]
        try:
            caller.call(v1_pb2.NodeGetInfoRequest(), v1_pb2.NodeGetInfoResponse, timeout=60)
        except RpcError as error:
            assert error.code is Code.UNIMPLEMENTED
        caller.close()
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_it_goes_on_after_a_kill(driver):
    volume = driver.create("v")
    driver.call(driver.attach_request(volume.volume_id))
    driver.process.kill()
    driver.process.wait(60)
    driver.start()
    assert driver.create("v") == volume
    driver.detach(volume.volume_id)
