"""What stands beside a driver's controller in a cluster: provisioner, attacher, resizer."""

from collections.abc import Callable
from dataclasses import replace

from csiproxy.csi import v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.testing.node_sim.kubelet import Volume
from csiproxy.testing.node_sim.manifests import Claim, StorageClass
from csiproxy.testing.node_sim.retrying import Backoff, Done, call, capability


class ControlPlane:
    """Calls one driver's controller; ``caller`` gives what reaches it."""

    def __init__(self, caller: Callable[[], Caller], backoff: Backoff) -> None:
        self._caller = caller
        self._backoff = backoff

    def provision(self, claim: Claim, uid: str, storage: StorageClass) -> tuple[Volume, Done]:
        """CreateVolume for a claim, named by the claim's uid as the provisioner does."""
        request = v1_pb2.CreateVolumeRequest(
            name=f"pvc-{uid}",
            volume_capabilities=[capability(claim.access_mode, storage.mount_options)],
            parameters=storage.parameters,
        )
        request.capacity_range.required_bytes = claim.size
        reply, done = call(self._caller, request, v1_pb2.CreateVolumeResponse, self._backoff)
        made = reply.volume
        volume = Volume(
            f"pvc-{uid}",
            storage.provisioner,
            made.volume_id,
            claim.access_mode,
            storage.mount_options,
            dict(made.volume_context),
            made.capacity_bytes,
        )
        return volume, done

    def attach(self, volume: Volume, node_id: str, *, read_only: bool) -> tuple[dict[str, str], Done]:
        """ControllerPublishVolume; what it says for the node."""
        request = v1_pb2.ControllerPublishVolumeRequest(
            volume_id=volume.handle,
            node_id=node_id,
            volume_capability=capability(volume.access_mode, volume.mount_options),
            readonly=read_only,
            volume_context=volume.context,
        )
        reply, done = call(self._caller, request, v1_pb2.ControllerPublishVolumeResponse, self._backoff)
        return dict(reply.publish_context), done

    def detach(self, volume: Volume, node_id: str) -> Done:
        """ControllerUnpublishVolume."""
        request = v1_pb2.ControllerUnpublishVolumeRequest(volume_id=volume.handle, node_id=node_id)
        return call(self._caller, request, v1_pb2.ControllerUnpublishVolumeResponse, self._backoff)[1]

    def expand(self, volume: Volume, size: int) -> tuple[Volume, Done]:
        """ControllerExpandVolume; the volume as it is then."""
        request = v1_pb2.ControllerExpandVolumeRequest(
            volume_id=volume.handle,
            volume_capability=capability(volume.access_mode, volume.mount_options),
        )
        request.capacity_range.required_bytes = size
        reply, done = call(self._caller, request, v1_pb2.ControllerExpandVolumeResponse, self._backoff)
        return replace(volume, size=reply.capacity_bytes), done

    def delete(self, volume: Volume) -> Done:
        """DeleteVolume, when its claim is deleted."""
        request = v1_pb2.DeleteVolumeRequest(volume_id=volume.handle)
        return call(self._caller, request, v1_pb2.DeleteVolumeResponse, self._backoff)[1]
