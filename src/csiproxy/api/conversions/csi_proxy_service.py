"""CSIProxyService v1alpha1: the portal's port is text, a disk has room for one volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csiproxy.api.conversions.numbers import tcp_port
from csiproxy.errors import InvalidArgument, WindowsCode

if TYPE_CHECKING:
    from csiproxy.api.csi_proxy_service import v1alpha1_pb2, v1beta1_pb2

_MUTUAL = 2


def mount_iscsi_lun(
    old: v1alpha1_pb2.MountISCSILunRequest, hub: type[v1beta1_pb2.MountISCSILunRequest]
) -> v1beta1_pb2.MountISCSILunRequest:
    """Read the port from text; Mutual is refused, as no field carries the initiator's secret."""
    if old.auth_type == _MUTUAL:
        raise InvalidArgument(
            "auth_type Mutual needs the initiator's CHAP secret, which v1alpha1 cannot carry: use v1beta1",
            WindowsCode.NOT_SUPPORTED,
        )
    return hub(
        node_iqn=old.node_iqn,
        # A number outside the enum goes through; the operation refuses it for every version alike.
        auth_type=old.auth_type,  # type: ignore[arg-type]  # two generated enums with the same numbers
        discovery_chap_username=old.discovery_chap_username,
        discovery_chap_secret=old.discovery_chap_secret,
        session_chap_username=old.session_chap_username,
        session_chap_secret=old.session_chap_secret,
        target_portal_address=old.target_portal_address,
        target_portal_port=tcp_port(old.target_portal_port, "target_portal_port"),
        readonly=old.readonly,
    )


def list_disk_volume_mappings_reply(
    hub: v1beta1_pb2.ListDiskVolumeMappingsResponse, old: type[v1alpha1_pb2.ListDiskVolumeMappingsResponse]
) -> v1alpha1_pb2.ListDiskVolumeMappingsResponse:
    """Keep the first volume of each disk, which is the one at the lowest offset; a disk without one goes."""
    first = {
        disk: found.volume_devices[0] for disk, found in hub.disk_volumes.items() if found.volume_devices
    }
    return old(disk_volume_pair=first, error_code=hub.error_code)


def ask_mount_iscsi_lun(
    hub: v1beta1_pb2.MountISCSILunRequest, old: type[v1alpha1_pb2.MountISCSILunRequest]
) -> v1alpha1_pb2.MountISCSILunRequest:
    """Write the port as text; what v1alpha1 has no field for is refused."""
    if hub.auth_type == _MUTUAL or hub.initiator_chap_secret or hub.lun:
        raise InvalidArgument(
            "v1alpha1 can carry neither the initiator's CHAP secret nor a LUN: use v1beta1",
            WindowsCode.NOT_SUPPORTED,
        )
    return old(
        node_iqn=hub.node_iqn,
        auth_type=hub.auth_type,  # type: ignore[arg-type]  # two generated enums with the same numbers
        discovery_chap_username=hub.discovery_chap_username,
        discovery_chap_secret=hub.discovery_chap_secret,
        session_chap_username=hub.session_chap_username,
        session_chap_secret=hub.session_chap_secret,
        target_portal_address=hub.target_portal_address,
        target_portal_port=str(hub.target_portal_port) if hub.target_portal_port else "",
        readonly=hub.readonly,
    )


def hear_disk_volume_mappings(
    old: v1alpha1_pb2.ListDiskVolumeMappingsResponse, hub: type[v1beta1_pb2.ListDiskVolumeMappingsResponse]
) -> v1beta1_pb2.ListDiskVolumeMappingsResponse:
    """Make a list of one of each disk's first volume."""
    reply = hub(error_code=old.error_code)
    for disk, volume in old.disk_volume_pair.items():
        reply.disk_volumes[disk].volume_devices.append(volume)
    return reply
