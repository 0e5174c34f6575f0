"""The Node service: each call checked, held against what is known of the volume, done through the proxy."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final

from csiproxy.client import Client
from csiproxy.csi import v1_pb2
from csiproxy.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
)
from csiproxy.node.plugin import capability, disks, publishing, requests, usage
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.locks import VolumeLocks
from csiproxy.node.plugin.records import Record, Records, Source, Target
from csiproxy.node.plugin.secrets import Secrets
from csiproxy.node.plugin.source import SourceKind, Staging
from csiproxy.rpc.call import Call

SECONDS: Final = 120.0
"""How long a call may take that has no deadline: what kubelet gives it."""

_RPC = v1_pb2.NodeServiceCapability.RPC
CAPABILITIES: Final = (
    _RPC.STAGE_UNSTAGE_VOLUME,
    _RPC.GET_VOLUME_STATS,
    _RPC.EXPAND_VOLUME,
    _RPC.VOLUME_CONDITION,
    _RPC.SINGLE_NODE_MULTI_WRITER,
)


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """How the storage system knows this node.  ``max_volumes`` 0 means no limit."""

    node_id: str
    max_volumes: int = 0
    topology: Mapping[str, str] = field(default_factory=dict)


class Node:
    """Serves the RPCs; a method has the name of its RPC."""

    def __init__(
        self,
        client: Client,
        records: Records,
        sources: Mapping[Kind, SourceKind],
        info: NodeInfo,
        share_usage: usage.ShareUsage,
    ) -> None:
        self._client = client
        self._records = records
        self._sources = sources
        self._info = info
        self._share_usage = share_usage
        self._locks = VolumeLocks()

    # --- staging -------------------------------------------------------------------------------------

    def node_stage_volume(
        self, request: v1_pb2.NodeStageVolumeRequest, call: Call
    ) -> v1_pb2.NodeStageVolumeResponse:
        """Bring a volume to its staging path."""
        volume = requests.volume_id(request.volume_id)
        path = requests.path(request.staging_target_path, "staging target path")
        kind = requests.kind(request.volume_context)
        read_only = requests.attached_read_only(request.publish_context)
        use = capability.read(request.volume_capability, kind, attached_read_only=read_only)
        staging = Staging(
            self._within(call),
            path,
            request.volume_context,
            request.publish_context,
            Secrets(request.secrets),
            read_only,
        )
        with self._locks.hold(volume):
            source = self._sources[kind].plan(staging)
            record = self._intention(Record(volume, path, use, source, read_only=read_only))
            self._records.put(record)
            mounted = self._sources[kind].stage(staging, record)
            self._records.put(replace(record, volume=mounted, staged=True))
        return v1_pb2.NodeStageVolumeResponse()

    def _intention(self, wanted: Record) -> Record:
        """What to stage: as wanted, or as an earlier call has begun or done it."""
        there = self._records.get(wanted.volume_id)
        if there is None:
            return wanted
        if there.staged and not requests.same_path(there.staging_path, wanted.staging_path):
            raise FailedPrecondition(
                f"volume {there.volume_id} is staged at {there.staging_path}: unstage it"
            )
        if there.staged and (there.use, there.read_only) != (wanted.use, wanted.read_only):
            raise AlreadyExists(
                f"volume {wanted.volume_id} is staged for {there.use.mode}: unstage it to use it otherwise"
            )
        if _same_source(there.source, wanted.source):
            source = replace(wanted.source, portal_added=there.source.portal_added)
            return replace(there, use=wanted.use, staging_path=wanted.staging_path, source=source)
        if there.staged:
            raise AlreadyExists(f"volume {wanted.volume_id} is staged from elsewhere: unstage it first")
        return wanted

    def node_unstage_volume(
        self, request: v1_pb2.NodeUnstageVolumeRequest, call: Call
    ) -> v1_pb2.NodeUnstageVolumeResponse:
        """Undo it; a volume that is not staged is success."""
        volume = requests.volume_id(request.volume_id)
        path = requests.path(request.staging_target_path, "staging target path")
        with self._locks.hold(volume):
            record, client = self._records.get(volume), self._within(call)
            if record is None and not self._records.staged_at(path):
                disks.clear(client, path)  # nothing is known of it: what was written down may be lost
            elif record is not None and requests.same_path(record.staging_path, path):
                self._demand_unpublished(client, record)
                self._sources[record.source.kind].unstage(client, record)
                self._records.remove(volume)
        return v1_pb2.NodeUnstageVolumeResponse()

    def _demand_unpublished(self, client: Client, record: Record) -> None:
        for target in record.targets:
            if client.filesystem.path_exists(target.path):
                raise FailedPrecondition(
                    f"volume {record.volume_id} is published at {target.path}: unpublish it first"
                )

    # --- publishing ----------------------------------------------------------------------------------

    def node_publish_volume(
        self, request: v1_pb2.NodePublishVolumeRequest, call: Call
    ) -> v1_pb2.NodePublishVolumeResponse:
        """Make a staged volume visible at a workload's path."""
        volume = requests.volume_id(request.volume_id)
        path = requests.path(request.target_path, "target path")
        kind = requests.kind(request.volume_context)
        read_only = requests.attached_read_only(request.publish_context)
        use = capability.read(request.volume_capability, kind, attached_read_only=read_only)
        if not request.staging_target_path:
            raise FailedPrecondition("the staging target path is missing: this plugin stages every volume")
        staging_path = requests.path(request.staging_target_path, "staging target path")
        if request.readonly:
            capability.demand_read_only(attached_read_only=read_only)
        with self._locks.hold(volume):
            record = self._staged(volume, staging_path)
            target = Target(path, use, request.readonly)
            _check_target(record, target)
            self._records.put(record.with_target(target))
            publishing.publish(self._within(call), record.staging_path, path)
        return v1_pb2.NodePublishVolumeResponse()

    def _staged(self, volume: str, staging_path: str) -> Record:
        record = self._records.get(volume)
        if record is None or not record.staged or not requests.same_path(record.staging_path, staging_path):
            raise FailedPrecondition(f"volume {volume} is not staged at {staging_path}: stage it first")
        return record

    def node_unpublish_volume(
        self, request: v1_pb2.NodeUnpublishVolumeRequest, call: Call
    ) -> v1_pb2.NodeUnpublishVolumeResponse:
        """Take a volume from a workload's path; what is gone already is success."""
        volume = requests.volume_id(request.volume_id)
        path = requests.path(request.target_path, "target path")
        with self._locks.hold(volume):
            publishing.unpublish(self._within(call), path)
            record = self._records.get(volume)
            if record is not None and record.target(path) is not None:
                self._records.put(record.without_target(path))
        return v1_pb2.NodeUnpublishVolumeResponse()

    # --- questions and growth ------------------------------------------------------------------------

    def node_get_volume_stats(
        self, request: v1_pb2.NodeGetVolumeStatsRequest, call: Call
    ) -> v1_pb2.NodeGetVolumeStatsResponse:
        """Tell how full a volume is and whether something is wrong with it."""
        record, path = self._at(request.volume_id, request.volume_path)
        found = usage.look(self._within(call), record, path, self._share_usage)
        reply = v1_pb2.NodeGetVolumeStatsResponse()
        if found.stats is not None:
            reply.usage.add(
                unit=v1_pb2.VolumeUsage.BYTES,
                total=found.stats.total_bytes,
                used=found.stats.used_bytes,
                available=found.stats.available_bytes,
            )
        reply.volume_condition.abnormal = bool(found.problem)
        reply.volume_condition.message = found.problem or "the volume is mounted and answers"
        return reply

    def _at(self, volume_id: str, volume_path: str) -> tuple[Record, str]:
        """A volume by its id and one of its paths; NotFound where it has no such path."""
        volume = requests.volume_id(volume_id)
        path = requests.path(volume_path, "volume path")
        record = self._records.get(volume)
        if record is None or not record.staged:
            raise NotFound(f"volume {volume} is not on this node")
        if record.target(path) is None and not requests.same_path(record.staging_path, path):
            raise NotFound(f"volume {volume} is not at {path}")
        return record, path

    def node_expand_volume(
        self, request: v1_pb2.NodeExpandVolumeRequest, call: Call
    ) -> v1_pb2.NodeExpandVolumeResponse:
        """Make the file system as large as its disk has become: five calls."""
        wanted = request.capacity_range
        if request.volume_capability.WhichOneof("access_type") == "block":
            raise InvalidArgument("a raw block volume cannot be on a Windows node")
        if wanted.required_bytes < 0 or wanted.limit_bytes < 0:
            raise InvalidArgument("a capacity is not negative")
        if wanted.limit_bytes and wanted.required_bytes > wanted.limit_bytes:
            raise InvalidArgument("the required capacity is above the limit")
        record, _ = self._at(request.volume_id, request.volume_path)
        with self._locks.hold(record.volume_id):
            if record.source.kind is Kind.SMB:
                return v1_pb2.NodeExpandVolumeResponse()  # a share grows on its server
            size = _expand(self._within(call), record.volume, wanted.required_bytes, wanted.limit_bytes)
        return v1_pb2.NodeExpandVolumeResponse(capacity_bytes=size)

    def node_get_capabilities(
        self,
        request: v1_pb2.NodeGetCapabilitiesRequest,
        call: Call,
    ) -> v1_pb2.NodeGetCapabilitiesResponse:
        """List what this service does."""
        reply = v1_pb2.NodeGetCapabilitiesResponse()
        for kind in CAPABILITIES:
            reply.capabilities.add().rpc.type = kind
        return reply

    def node_get_info(
        self,
        request: v1_pb2.NodeGetInfoRequest,
        call: Call,
    ) -> v1_pb2.NodeGetInfoResponse:
        """Name the node."""
        reply = v1_pb2.NodeGetInfoResponse(
            node_id=self._info.node_id, max_volumes_per_node=self._info.max_volumes
        )
        if self._info.topology:
            reply.accessible_topology.segments.update(self._info.topology)
        return reply

    def _within(self, call: Call) -> Client:
        """The client, with the call's deadline for all that it asks."""
        return self._client.within(SECONDS if call.deadline is None else call.deadline - monotonic())


def _same_source(one: Source, other: Source) -> bool:
    return replace(one, portal_added=False) == replace(other, portal_added=False)


def _check_target(record: Record, wanted: Target) -> None:
    """Hold a new target against those that there are."""
    there = record.target(wanted.path)
    if there is not None and (there.use, there.read_only) != (wanted.use, wanted.read_only):
        raise AlreadyExists(
            f"volume {record.volume_id} is published at {wanted.path} otherwise: unpublish it first"
        )
    others = [target for target in record.targets if target is not there]
    if others and (wanted.use.one_target or any(target.use.one_target for target in others)):
        raise FailedPrecondition(
            f"volume {record.volume_id} is for one workload alone and is published at {others[0].path}"
        )


def _expand(client: Client, volume: str, required: int, limit: int) -> int:
    """Grow a volume to all that its disk has, and return the disk's size."""
    client.disk.rescan()
    size = client.disk.get_disk_stats(client.volume.get_disk_number_from_volume_id(volume))
    if size < required:
        raise OutOfRange(f"the disk has {size} bytes, and {required} are required: grow it first")
    if limit and size > limit:
        raise OutOfRange(f"the disk has {size} bytes, which is above the limit of {limit}")
    client.volume.resize_volume(volume)
    return size
