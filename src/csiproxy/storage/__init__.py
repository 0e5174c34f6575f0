"""Single steps on Windows storage objects, said in CIM and Win32.

The logic here runs unchanged on a real node and on an emulated one; it decides nothing about who may do
what (``csiproxy.operations`` does) and makes no system call (the host does).
"""

from csiproxy.host import Host
from csiproxy.storage.disk import Disks
from csiproxy.storage.iscsi import Iscsi
from csiproxy.storage.namespace import Namespace
from csiproxy.storage.pod_links import PodLinks
from csiproxy.storage.share_links import ShareLinks
from csiproxy.storage.smb import SmbMappings
from csiproxy.storage.system import System
from csiproxy.storage.volume import Volumes


class Storage:
    """The storage of one node."""

    def __init__(self, host: Host) -> None:
        self.namespace = Namespace(host.win32)
        self.disks = Disks(host.cim, host.win32)
        self.volumes = Volumes(host.cim)
        self.iscsi = Iscsi(host.cim)
        self.system = System(host.cim)
        self.smb_mappings = SmbMappings(host.cim)
        self.share_links = ShareLinks(host.win32, self.namespace)
        self.mutex = host.win32.mutex
        self._win32 = host.win32

    def pod_links(self, pods: str) -> PodLinks:
        """What the pods' directory ``pods`` leads to."""
        return PodLinks(self._win32, pods)
