"""What becomes volumes on the ground of a soak: cloud disks, LUNs of a target, directories of a share."""

import hashlib
import os
import shutil
from pathlib import Path

from tests.iscsi_target import MIB
from tests.soak import workload
from tests.soak.client import Client, Refused
from tests.soak.drivers import BETA, V1, V2, DiskDriver, ServiceDriver
from tests.soak.ground import SERVER, SHARE, Ground
from tests.soak.life import Driver, Volume, damage
from tests.soak.plan import Life, Store, disk_number
from tests.soak.shares import GroupsShareDriver, ServiceShareDriver

from csiproxy.emulator.inventory import DiskReport
from csiproxy.errors import HostError
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier

_DIALECTS = {"v1": V1, "v2": V2, "beta": BETA}


def volume(life: Life, ground: Ground, worker: int) -> Volume:
    """What a life's volume is."""
    if life.store is Store.SMB:
        return ShareVolume(life, ground)
    if life.store is Store.ISCSI:
        return Lun(life, ground, worker)
    return CloudDisk(life, ground)


class CloudDisk:
    """An image that is attached and detached; on its own number and LUN, and with its own identifier."""

    def __init__(self, life: Life, ground: Ground) -> None:
        self._life, self._ground = life, ground
        self._number = disk_number(life.number)
        self._image = ground.directory / f"{life.number}.img"
        self._size = life.size
        self.lun, self.by_lun = self._number, life.lun
        digest = hashlib.sha256(f"{life.number}".encode()).digest()
        # An NAA identifier of kind 6 has 16 bytes.
        self._identifier = bytes([0x60 | digest[0] >> 4]) + digest[1:16]
        self.page83 = self._identifier.hex()
        self._driver: DiskDriver | ServiceDriver | None = None
        self.inside = ""

    def arrive(self) -> None:
        if self._report() is not None:
            return
        identifier = StorageIdentifier(
            CodeSet.BINARY, IdentifierType.FCPH_NAME, Association.DEVICE, self._identifier
        )
        create = None if self._image.exists() else self._size
        self._operate(
            lambda: self._ground.control.attach(
                str(self._image),
                create=create,
                number=self._number,
                lun=self.lun,
                identifiers=[identifier],
                offline=bool(self._life.number % 3),
            )
        )

    def mend(self) -> None:
        report = self._report()
        if report is not None and report.read_only:
            self._operate(lambda: self._ground.control.detach(self._number))
            report = None
        if report is None:
            self.arrive()
        if (report is None or report.offline) and self._driver:
            self._driver.bring_online()

    def enlarge(self) -> int:
        size = self._size + 64 * MIB
        if os.path.getsize(self._image) < size:
            self._operate(lambda: self._ground.control.grow(self._number, size))
        return size

    def depart(self) -> None:
        if self._report() is not None:
            self._operate(lambda: self._ground.control.detach(self._number))

    def at_rest(self) -> list[str]:
        return damage(self._image)

    def erase(self) -> None:
        self._image.unlink()
        shutil.rmtree(f"{self._image}.d", ignore_errors=True)

    def driver(self, client: Client, staging: str, published: str) -> Driver:
        if self._life.driver == "service":
            self._driver = ServiceDriver(client, self, staging, published)
        else:
            self._driver = DiskDriver(client, _DIALECTS[self._life.driver], self, staging, published)
        return self._driver

    def _report(self) -> DiskReport | None:
        reports = self._operate(self._ground.control.list)
        return next((report for report in reports if report.number == self._number), None)

    def _operate(self, action):
        return operate(action)


def operate(action):
    """An operator's command; what the node says against it is an OSError, and tried again."""
    try:
        return action()
    except HostError as error:
        raise OSError(str(error)) from error


class Lun:
    """The one LUN of the target that a worker has; its sectors are cleared between lives."""

    def __init__(self, life: Life, ground: Ground, worker: int) -> None:
        self._life, self._ground = life, ground
        self._iqn = ground.iqns[worker]
        self._image = ground.target.image(f"w{worker}")
        self._portal = {"target_address": ground.target.address, "target_port": ground.target.port}
        self._size = life.size
        self.page83, self.lun, self.by_lun = "", 1, False
        self._driver: DiskDriver | ServiceDriver | None = None
        self._client: Client | None = None
        self.inside = ""

    def arrive(self) -> None:
        """It always is at its target."""

    def mend(self) -> None:
        for report in operate(self._ground.control.list):
            if report.image == f"iscsi:{self._iqn},1" and report.offline and self._client:
                self._client("disk/v1", "SetDiskState", disk_number=report.number, is_online=True)

    def enlarge(self) -> int:
        return self._size

    def depart(self) -> None:
        """It stays at its target, where nobody may be logged in."""
        if self._ground.target.sessions(self._iqn):
            raise OSError(f"{self._iqn} has a session yet")

    def at_rest(self) -> list[str]:
        return damage(self._image)

    def erase(self) -> None:
        """Clear the sectors under the target's hands, as a storage system does for the next claim."""
        os.truncate(self._image, 0)
        os.truncate(self._image, self._size)
        units = Path(
            self._ground.node.path, "units", hashlib.sha256(f"iscsi:{self._iqn},1".encode()).hexdigest()
        )
        shutil.rmtree(units, ignore_errors=True)

    def driver(self, client: Client, staging: str, published: str) -> Driver:
        self._client = client
        if self._life.driver == "service":
            self._driver = ServiceDriver(
                client, self, staging, published, attach=self._mount, detach=self._unmount
            )
        else:
            self._driver = DiskDriver(
                client, V1, self, staging, published, attach=self._connect, detach=self._disconnect
            )
        return self._driver

    # --- by the group

    def _connect(self) -> int:
        target = {"target_portal": self._portal, "iqn": self._iqn}
        self._group("AddTargetPortal", target_portal=self._portal)
        if self._iqn not in self._group("DiscoverTargetPortal", target_portal=self._portal).iqns:
            raise Refused("DiscoverTargetPortal", "NOT_FOUND", f"{self._iqn} is not offered (yet)")
        self._group("ConnectTarget", **target)
        numbers = self._group("GetTargetDisks", **target).diskIDs
        if len(numbers) != 1:
            raise Refused("GetTargetDisks", "NOT_FOUND", f"{len(numbers)} disks")
        return int(numbers[0])

    def _disconnect(self) -> None:
        self._group("DisconnectTarget", target_portal=self._portal, iqn=self._iqn)

    def _group(self, rpc: str, **fields: object):
        return self._client("iscsi/v1alpha2", rpc, **fields)

    # --- by the service

    def _mount(self) -> str:
        lun = {
            "node_iqn": self._iqn,
            "target_portal_address": self._ground.target.address,
            "target_portal_port": self._ground.target.port,
            "lun": 1,
        }
        return self._client("csi-proxy/v1beta1", "MountISCSILun", **lun).disk_device

    def _unmount(self) -> None:
        self._client("csi-proxy/v1beta1", "UnmountISCSILun", node_iqn=self._iqn)


class ShareVolume:
    """A directory of the one share that all lives have; the service can mount but the whole share."""

    def __init__(self, life: Life, ground: Ground) -> None:
        self._life, self._ground = life, ground
        self._name = f"v{life.number}"
        self._files = ground.samba.share(SHARE) / self._name
        self._written = life.files
        self.inside = self._name if life.driver == "service" else ""

    def arrive(self) -> None:
        self._files.mkdir(exist_ok=True)

    def mend(self) -> None:
        """A share is mended by its server."""

    def enlarge(self) -> int:
        return 0

    def depart(self) -> None:
        """Nothing is attached."""

    def at_rest(self) -> list[str]:
        """The server has every byte."""
        return [f"at the server: {found}" for found in workload.differences(self._files, self._written)]

    def erase(self) -> None:
        shutil.rmtree(self._files)

    def driver(self, client: Client, staging: str, published: str) -> Driver:
        share = rf"\\{SERVER}\{SHARE}"
        if self._life.driver == "service":
            return ServiceShareDriver(client, share, self._ground.login, staging, published)
        return GroupsShareDriver(client, rf"{share}\{self._name}", self._ground.login, staging, published)
