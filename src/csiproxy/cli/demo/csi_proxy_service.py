"""The script's calls to CSIProxyService alone: v1beta1, and v1alpha1 where it does more in one call."""

from csiproxy.cli.demo import observe
from csiproxy.cli.demo.client import Reply
from csiproxy.cli.demo.dialect import Expected, Speaker, Staged
from csiproxy.cli.demo.player import require

V1BETA1, V1ALPHA1 = "csi-proxy/v1beta1", "csi-proxy/v1alpha1"
DEVICE = "\\\\.\\PhysicalDrive"


class CsiProxyService(Speaker):
    """:class:`~csiproxy.cli.demo.dialect.Dialect` of CSIProxyService."""

    def rescan(self) -> None:
        """Let the node look for disks."""
        self._call(V1BETA1, "Rescan", lambda _: observe.disks(self._node))

    def find(self, expected: Expected) -> int:
        """Find a disk by its serial number, and see that its LUN agrees."""
        device = ""

        def by_serial(reply: Reply) -> str:
            nonlocal device
            ids = reply.table("disk_id")
            found = [key for key, disk in ids.items() if f"serial.{expected.serial}" in disk.texts("IDs")]
            require(len(found) == 1, f"{len(found)} disks have the serial number {expected.serial}")
            device = found[0]
            return f"serial number {expected.serial} is {device} (of {len(ids)})"

        def by_lun(reply: Reply) -> str:
            at = reply.table("disk_locations").get(device)
            require(at is not None and at.text("LUNID") == str(expected.lun), "the LUN is another one")
            return f"{device} is at LUN {expected.lun}, as attached"

        self._call(V1BETA1, "ListDiskIDs", by_serial)
        self._call(V1BETA1, "ListDiskLocations", by_lun)
        return int(device.removeprefix(DEVICE))

    def partition(self, disk: int, *, volumes: int) -> str:
        """Partition a raw disk, leave a partitioned one alone; it answers with the first volume."""
        reply = self._call(
            V1BETA1,
            "PartitionDisk",
            lambda _: observe.partitioned(self._node, disk),
            disk_device=f"{DEVICE}{disk}",
            type="GPT",
        )
        first = reply.text("volume_device")
        self._mapped(disk, first, volumes)
        return first

    def format(self, volume: str) -> None:
        """Format a raw volume."""
        self._call(
            V1BETA1,
            "FormatVolume",
            lambda _: observe.formatted(self._node, volume),
            volume_device=volume,
            type="NTFS",
        )

    def stage(self, staged: Staged) -> None:
        """Make the staging directory and mount."""
        self._make_directory(staged.path, "PLUGIN")
        self._call(
            V1BETA1,
            "MountVolume",
            lambda _: observe.mounted(self._node, staged.volume, staged.path),
            volume_device=staged.volume,
            target_path=staged.path,
        )

    def restage(self, staged: Staged) -> None:
        """v1alpha1's FormatVolume: leaves a volume that has the file system as it is, and mounts it."""
        self._make_directory(staged.path, "PLUGIN")
        self._call(
            V1ALPHA1,
            "FormatVolume",
            lambda _: observe.mounted(self._node, staged.volume, staged.path),
            volume_device=staged.volume,
            type="NTFS",
            staging_path=staged.path,
        )

    def publish(self, staged: Staged, link: str) -> None:
        """Make the pod's directory and the link in it."""
        self._make_directory(link.rpartition("\\")[0], "POD")
        self._call(
            V1BETA1,
            "LinkPath",
            lambda _: observe.linked(self._node, link, staged.path),
            source_path=link,
            target_path=staged.path,
        )
        self._exists(V1BETA1, link, expected=True)

    def statistics(self, staged: Staged, at_least: int) -> None:
        """Nothing: this contract has no such question."""

    def resize(self, staged: Staged, disk_size: int) -> None:
        """Grow the volume; a claim asks for the disk's size, of which all that fits is given."""
        self._call(
            V1BETA1,
            "ResizeVolume",
            lambda _: observe.as_large_as_fits(self._node, staged.disk, staged.volume),
            volume_device=staged.volume,
            new_size=disk_size,
        )

    def still_there(self, staged: Staged, link: str) -> None:
        """See that mount and link are there without having been made again."""
        self._exists(V1BETA1, link, expected=True)
        self._exists(V1ALPHA1, staged.path, expected=True)
        self._mapped(staged.disk, staged.volume, 1)

    def unpublish(self, link: str) -> None:
        """Remove the link; what it leads to stays."""
        self._call(V1BETA1, "UnlinkPath", lambda _: observe.gone(self._node, link), path=link)
        self._exists(V1BETA1, link, expected=False)

    def unstage(self, staged: Staged) -> None:
        """Unmount and remove the staging directory."""
        self._call(
            V1BETA1,
            "DismountVolume",
            lambda _: observe.unmounted(self._node, staged.volume),
            volume_device=staged.volume,
        )
        self._call(
            V1BETA1,
            "Rmdir",
            lambda _: observe.gone(self._node, staged.path),
            path=staged.path,
            context="PLUGIN",
        )

    # --- pieces

    def _make_directory(self, path: str, context: str) -> None:
        self._call(
            V1BETA1, "Mkdir", lambda _: observe.directory(self._node, path), path=path, context=context
        )

    def _exists(self, contract: str, path: str, *, expected: bool) -> None:
        def as_expected(reply: Reply) -> str:
            found = "is there" if reply.flag("exists") else "is not there"
            require(reply.flag("exists") is expected, f"{path} {found}")
            return f"{path} {found}"

        self._call(contract, "PathExists", as_expected, path=path)

    def _mapped(self, disk: int, volume: str, volumes: int) -> None:
        def listed(reply: Reply) -> str:
            row = reply.table("disk_volumes").get(f"{DEVICE}{disk}")
            found = row.texts("volume_devices") if row else []
            require(len(found) == volumes and found[0] == volume, f"disk {disk} has {found}")
            return f"disk {disk} has {', '.join(found)}"

        self._call(V1BETA1, "ListDiskVolumeMappings", listed)
