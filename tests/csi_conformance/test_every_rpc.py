import grpc
import pytest
from tests.csi_conformance.client import CODE, Csi
from tests.running import until

from csiproxy.csi import v1_pb2
from csiproxy.emulator.faults import Action, Fault

must = pytest.mark.must


@must("any.unknown-rpc")
def test_an_rpc_that_is_not_served_is_unimplemented(csi):
    for path in ("/csi.v1.Node/NodeDance", "/csi.v1.GroupController/CreateVolumeGroupSnapshot", "/x.y/Z"):
        with pytest.raises(grpc.RpcError) as refused:
            csi.raw(path)
        assert refused.value.code() is CODE.UNIMPLEMENTED


@must("any.unannounced")
def test_an_rpc_that_is_not_announced_is_unimplemented(csi):
    for request in (
        v1_pb2.CreateSnapshotRequest(name="s", source_volume_id="v"),
        v1_pb2.DeleteSnapshotRequest(snapshot_id="s"),
        v1_pb2.ListSnapshotsRequest(),
        v1_pb2.GetSnapshotRequest(snapshot_id="s"),
        v1_pb2.ControllerModifyVolumeRequest(volume_id="v"),
    ):
        assert csi.status(request) is CODE.UNIMPLEMENTED


@must("any.message")
def test_a_failure_has_a_text(bed, csi):
    for request in (
        v1_pb2.CreateVolumeRequest(),
        v1_pb2.NodeStageVolumeRequest(),
        v1_pb2.ControllerGetVolumeRequest(volume_id="vol-0"),
        v1_pb2.CreateSnapshotRequest(),
    ):
        assert csi.fails(request)[1]


@must("any.secrets")
def test_secrets_stay_secret(bed, csi):
    volume = bed.provisioned()
    secrets = {"password": "hunter2-of-the-volume"}
    csi(bed.create(secrets=secrets))
    csi(bed.stage(volume, secrets=secrets))
    csi(bed.publish(volume, secrets=secrets))
    for request in (
        bed.create(required=-1, secrets=secrets),
        bed.attach("vol-0", secrets=secrets),
        bed.stage(volume, staging_target_path=r"C:\Windows", secrets=secrets),
        bed.publish(volume, target_path=r"C:\Windows\x", secrets=secrets),
    ):
        assert "hunter2" not in csi.fails(request)[1]
    with pytest.raises(grpc.RpcError) as refused:
        csi.raw("/csi.v1.Node/NodeStageVolume", b"hunter2-in-rubbish")
    assert "hunter2" not in refused.value.details()
    assert "hunter2" not in bed.log()
    written = [path for path in bed.driver.directory.rglob("*") if path.is_file() and path.suffix != ".img"]
    assert [path for path in written if b"hunter2" in path.read_bytes()] == []
    assert "hunter2" not in str(bed.nodes[0].audit())


@must("any.unknown-field")
def test_fields_of_a_newer_caller_are_passed_over(csi):
    known = v1_pb2.GetPluginInfoRequest().SerializeToString()
    newer = known + b"\xfa\x3f\x03new"  # field 1023, a text
    reply = v1_pb2.GetPluginInfoResponse.FromString(csi.raw("/csi.v1.Identity/GetPluginInfo", newer))
    assert reply.name


@must("any.pending")
def test_two_calls_on_a_volume_do_not_get_into_each_others_way(bed, csi):
    volume = bed.provisioned()
    bed.nodes[0].control.order(Fault("MSFT_Volume.Format", Action.HANG))
    first = csi.start(bed.stage(volume))
    try:
        until(lambda: not bed.nodes[0].control.faults())
        second = Csi(bed.driver.socket)
        assert second.status(bed.stage(volume)) is CODE.ABORTED
        second.close()
    finally:
        bed.nodes[0].control.clear_faults()
    first.result()
    csi(bed.stage(volume))
