"""What each RPC promises: check, confine, lock, decide.  Synchronous, and without a system call.

A group's class has one method per RPC of its newest version, with the message's fields as parameters.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from csiproxy.host import Host
from csiproxy.operations.configuration import Configuration
from csiproxy.operations.csi_proxy_service import CsiProxyService
from csiproxy.operations.disk import DiskGroup
from csiproxy.operations.dry_run import rehearsed
from csiproxy.operations.filesystem import FilesystemGroup
from csiproxy.operations.iscsi import IscsiGroup
from csiproxy.operations.iscsi_lun import IscsiLuns
from csiproxy.operations.locks import Locks
from csiproxy.operations.paths import Confinement
from csiproxy.operations.rails import Rails
from csiproxy.operations.smb import SmbGroup
from csiproxy.operations.system import SystemGroup
from csiproxy.operations.volume import VolumeGroup
from csiproxy.storage import Storage


@dataclass(frozen=True, slots=True)
class Operations:
    """The operations of one node, by group."""

    disk: DiskGroup
    filesystem: FilesystemGroup
    iscsi: IscsiGroup
    smb: SmbGroup
    system: SystemGroup
    volume: VolumeGroup
    csi_proxy_service: CsiProxyService


def build(
    host: Host, configuration: Configuration, *, sleep: Callable[[float], None] = time.sleep
) -> Operations:
    """Compose the operations; a prefix that is no legal path is InvalidArgument.

    ``sleep`` passes the time (seconds) until Windows has made a volume or switched a service.
    """
    storage = Storage(rehearsed(host) if configuration.dry_run else host)
    locks = Locks(storage.mutex)
    service_prefixes = (configuration.csi_plugins_path, configuration.pod_path)
    every_prefix = (configuration.kubelet_path, *configuration.working_dirs, *service_prefixes)
    confinement = Confinement((configuration.kubelet_path, *configuration.working_dirs), every_prefix)
    rails = Rails(
        storage,
        Confinement(every_prefix),
        storage.pod_links(configuration.pod_path),
        configuration.lifted_rails,
    )
    disks = DiskGroup(storage.disks, storage.volumes, locks, rails, sleep=sleep)
    volumes = VolumeGroup(
        storage, disks, locks, rails, confinement, allow_reformat=configuration.allow_reformat
    )
    iscsi = IscsiGroup(storage, disks, locks)
    shares = SmbGroup(
        storage,
        locks,
        confinement,
        Confinement(every_prefix),
        require_privacy=configuration.require_privacy,
    )
    return Operations(
        disk=disks,
        filesystem=FilesystemGroup(storage.namespace, confinement, shares, volumes),
        iscsi=iscsi,
        smb=shares,
        system=SystemGroup(storage.system, locks, configuration.allow_services, sleep=sleep),
        volume=volumes,
        csi_proxy_service=CsiProxyService(
            storage,
            disks,
            volumes,
            IscsiLuns(iscsi, disks, locks, sleep=sleep),
            shares,
            plugins=Confinement((configuration.csi_plugins_path,), every_prefix),
            pods=Confinement((configuration.pod_path,), every_prefix),
            either=Confinement(service_prefixes, every_prefix),
        ),
    )
