"""The Controller service: CSI's rules over the volumes of the storage system."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from csiproxy.csi import v1_pb2
from csiproxy.errors import Aborted, CsiProxyError, InvalidArgument, NotFound
from csiproxy.node.plugin import capability, requests
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.disk_source import SERIAL_KEY
from csiproxy.node.plugin.locks import VolumeLocks
from csiproxy.rpc.call import Call
from csiproxy.testing.csi_driver.volumes import Volume, Volumes, serial

_RPC = v1_pb2.ControllerServiceCapability.RPC
CAPABILITIES: Final = (
    _RPC.CREATE_DELETE_VOLUME,
    _RPC.PUBLISH_UNPUBLISH_VOLUME,
    _RPC.PUBLISH_READONLY,
    _RPC.LIST_VOLUMES,
    _RPC.LIST_VOLUMES_PUBLISHED_NODES,
    _RPC.GET_CAPACITY,
    _RPC.EXPAND_VOLUME,
    _RPC.GET_VOLUME,
    _RPC.VOLUME_CONDITION,
    _RPC.SINGLE_NODE_MULTI_WRITER,
)
_READER: Final = v1_pb2.VolumeCapability.AccessMode.SINGLE_NODE_READER_ONLY
_READERS_EVERYWHERE: Final = v1_pb2.VolumeCapability.AccessMode.MULTI_NODE_READER_ONLY
PARAMETERS: Final = frozenset({requests.TYPE_KEY})
"""What a storage class may say; all of it travels in the volume's context."""


class Controller:
    """Serves the RPCs; a method has the name of its RPC."""

    def __init__(self, volumes: Volumes) -> None:
        self._volumes = volumes
        self._locks = VolumeLocks()

    # --- a volume's life -----------------------------------------------------------------------------

    def create_volume(self, request: v1_pb2.CreateVolumeRequest, call: Call) -> v1_pb2.CreateVolumeResponse:
        """Provision a volume, once for each name."""
        if not request.name:
            raise InvalidArgument("the name is missing")
        _check_capabilities(request.volume_capabilities)
        _check_parameters(request)
        required, limit = _range(request.capacity_range)
        with self._locks.hold(request.name):
            volume = self._volumes.create(request.name, required, limit)
        return v1_pb2.CreateVolumeResponse(volume=_message(volume))

    def delete_volume(self, request: v1_pb2.DeleteVolumeRequest, call: Call) -> v1_pb2.DeleteVolumeResponse:
        """Delete a volume; one that is gone is success."""
        volume = requests.volume_id(request.volume_id)
        with self._locks.hold(volume):
            self._volumes.delete(volume)
        return v1_pb2.DeleteVolumeResponse()

    def controller_publish_volume(
        self, request: v1_pb2.ControllerPublishVolumeRequest, call: Call
    ) -> v1_pb2.ControllerPublishVolumeResponse:
        """Attach a volume to a node, read-only where that is asked for or is all that readers need."""
        volume = requests.volume_id(request.volume_id)
        if not request.node_id:
            raise InvalidArgument("the node id is missing")
        _check_capabilities([request.volume_capability])
        read_only = request.readonly or request.volume_capability.access_mode.mode == _READER
        with self._locks.hold(volume):
            self._volumes.attach(volume, request.node_id, read_only=read_only)
        reply = v1_pb2.ControllerPublishVolumeResponse()
        reply.publish_context[SERIAL_KEY] = serial(volume)
        if read_only:
            reply.publish_context[requests.READ_ONLY_KEY] = "true"
        return reply

    def controller_unpublish_volume(
        self, request: v1_pb2.ControllerUnpublishVolumeRequest, call: Call
    ) -> v1_pb2.ControllerUnpublishVolumeResponse:
        """Detach a volume from a node, or from every node; where it is not is success."""
        volume = requests.volume_id(request.volume_id)
        with self._locks.hold(volume), suppress(NotFound):  # an id that is none of ours is on no node
            self._volumes.detach(volume, request.node_id)
        return v1_pb2.ControllerUnpublishVolumeResponse()

    def controller_expand_volume(
        self, request: v1_pb2.ControllerExpandVolumeRequest, call: Call
    ) -> v1_pb2.ControllerExpandVolumeResponse:
        """Make a volume larger; the node has to follow."""
        volume = requests.volume_id(request.volume_id)
        required, limit = _range(request.capacity_range)
        if not required and not limit:
            raise InvalidArgument("the capacity range is missing")
        with self._locks.hold(volume):
            grown = self._volumes.expand(volume, required, limit)
        return v1_pb2.ControllerExpandVolumeResponse(
            capacity_bytes=grown.capacity, node_expansion_required=True
        )

    # --- questions -----------------------------------------------------------------------------------

    def validate_volume_capabilities(
        self, request: v1_pb2.ValidateVolumeCapabilitiesRequest, call: Call
    ) -> v1_pb2.ValidateVolumeCapabilitiesResponse:
        """Confirm what a volume can do, or say why it cannot."""
        volume = requests.volume_id(request.volume_id)
        if not request.volume_capabilities:
            raise InvalidArgument("the volume capabilities are missing")
        self._volumes.get(volume)
        reply = v1_pb2.ValidateVolumeCapabilitiesResponse()
        try:
            _check_capabilities(request.volume_capabilities)
        except CsiProxyError as error:
            reply.message = str(error)
            return reply
        reply.confirmed.volume_capabilities.extend(request.volume_capabilities)
        reply.confirmed.volume_context.update(request.volume_context)
        reply.confirmed.parameters.update(request.parameters)
        return reply

    def list_volumes(self, request: v1_pb2.ListVolumesRequest, call: Call) -> v1_pb2.ListVolumesResponse:
        """List volumes by id; a token is the id that a page begins with."""
        if request.max_entries < 0:
            raise InvalidArgument("the most entries of a page are not negative")
        volumes = self._volumes.all()
        start = 0
        if request.starting_token:
            ids = [volume.id for volume in volumes]
            if request.starting_token not in ids:
                raise Aborted("the starting token is not of a list that is known: begin again without one")
            start = ids.index(request.starting_token)
        end = start + request.max_entries if request.max_entries else len(volumes)
        reply = v1_pb2.ListVolumesResponse(next_token=volumes[end].id if end < len(volumes) else "")
        for volume in volumes[start:end]:
            entry = reply.entries.add(volume=_message(volume))
            entry.status.published_node_ids.extend(self._nodes(volume))
            entry.status.volume_condition.message = "the image is there"
        return reply

    def controller_get_volume(
        self, request: v1_pb2.ControllerGetVolumeRequest, call: Call
    ) -> v1_pb2.ControllerGetVolumeResponse:
        """Find one volume, and say how it is."""
        volume = self._volumes.get(requests.volume_id(request.volume_id))
        reply = v1_pb2.ControllerGetVolumeResponse(volume=_message(volume))
        reply.status.published_node_ids.extend(self._nodes(volume))
        reply.status.volume_condition.message = "the image is there"
        return reply

    def get_capacity(self, request: v1_pb2.GetCapacityRequest, call: Call) -> v1_pb2.GetCapacityResponse:
        """Tell how much may still be provisioned; nothing for what could not be used."""
        try:
            if request.volume_capabilities:
                _check_capabilities(request.volume_capabilities)
        except InvalidArgument:
            return v1_pb2.GetCapacityResponse()
        return v1_pb2.GetCapacityResponse(available_capacity=self._volumes.left())

    def controller_get_capabilities(
        self, request: v1_pb2.ControllerGetCapabilitiesRequest, call: Call
    ) -> v1_pb2.ControllerGetCapabilitiesResponse:
        """List what this service does."""
        reply = v1_pb2.ControllerGetCapabilitiesResponse()
        for kind in CAPABILITIES:
            reply.capabilities.add().rpc.type = kind
        return reply

    def _nodes(self, volume: Volume) -> list[str]:
        return [there.node for there in self._volumes.attachments(volume.id)]


def _message(volume: Volume) -> v1_pb2.Volume:
    return v1_pb2.Volume(
        volume_id=volume.id,
        capacity_bytes=volume.capacity,
        volume_context={requests.TYPE_KEY: Kind.DISK.value},
    )


def _check_capabilities(wanted: Sequence[v1_pb2.VolumeCapability]) -> None:
    """Demand at least one capability, and that each can be had: readers get a disk that is read-only."""
    if not wanted:
        raise InvalidArgument("the volume capabilities are missing")
    for one in wanted:
        capability.read(one, Kind.DISK, attached_read_only=True)
        if one.access_mode.mode == _READERS_EVERYWHERE:
            raise InvalidArgument("an image is on one node at a time: ask for an access mode of one node")


def _check_parameters(request: v1_pb2.CreateVolumeRequest) -> None:
    unknown = sorted(set(request.parameters) - PARAMETERS)
    if unknown or request.parameters.get(requests.TYPE_KEY, Kind.DISK) != Kind.DISK:
        raise InvalidArgument(
            f"the storage class asks for more than this driver knows: {', '.join(unknown)[:128]}"
        )
    if request.mutable_parameters:
        raise InvalidArgument("volumes of this driver have no parameters that could change")
    if request.HasField("volume_content_source"):
        raise InvalidArgument("volumes of this driver begin empty: leave the content source out")


def _range(wanted: v1_pb2.CapacityRange) -> tuple[int, int]:
    if wanted.required_bytes < 0 or wanted.limit_bytes < 0:
        raise InvalidArgument("a capacity is not negative")
    if wanted.limit_bytes and wanted.required_bytes > wanted.limit_bytes:
        raise InvalidArgument("the required capacity is above the limit")
    return wanted.required_bytes, wanted.limit_bytes
