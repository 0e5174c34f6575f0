"""SafeFormatAndMount: from a disk's number to its volume, mounted; and back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from typing import Final

from csiproxy.client import Client
from csiproxy.errors import CsiProxyError, FailedPrecondition, InvalidArgument, Unimplemented, WindowsCode
from csiproxy.mounter.answers import is_refusal
from csiproxy.mounter.mounter import Mounter
from csiproxy.mounter.options import READ_ONLY, refuse_unkept
from csiproxy.mounter.paths import on_node

NTFS: Final = "ntfs"
_NO: Final = WindowsCode.NOT_SUPPORTED


class UnformattedReadOnly(FailedPrecondition):
    """The volume is to be read only and has no file system."""


class SafeFormatAndMount:
    """Formats what has no file system, and mounts.  Never formats what has one.

    ``most_formats`` is how many volumes are formatted at the same time (None: no limit); who has waited
    ``format_patience`` seconds for a turn goes ahead without.
    """

    def __init__(
        self, client: Client, *, most_formats: int | None = None, format_patience: float = 60.0
    ) -> None:
        self.mounter = Mounter(client)
        self._client = client
        self._turns = BoundedSemaphore(most_formats) if most_formats else None
        self._patience = format_patience

    def format_and_mount(
        self,
        source: int | str,
        target: str,
        fstype: str = "",
        options: Sequence[str] = (),
        *,
        format_options: Sequence[str] = (),
    ) -> str:
        """Bring the first volume of disk ``source`` (its number) to ``target``; its volume id.

        A raw disk is partitioned, a volume without a file system formatted as NTFS.  With the option ``ro``
        neither is done: the disk is expected to be attached read-only, as a mount point cannot be.
        InvalidArgument for what is no disk number, another type or an option that Windows cannot keep to;
        UnformattedReadOnly.
        """
        number = disk_number(source)
        if fstype.lower() not in ("", NTFS):
            raise InvalidArgument(f"a Windows node formats NTFS, not '{fstype[:32]}'", _NO)
        if format_options:
            raise InvalidArgument("a Windows node takes no options for formatting", _NO)
        refuse_unkept(option for option in options if option != READ_ONLY)
        volume = self._prepared(number, read_only=READ_ONLY in options)
        self.mounter.mount_volume(volume, target)
        return volume

    def _prepared(self, number: int, *, read_only: bool) -> str:
        """The disk's first volume with a file system: four calls, five where it is formatted."""
        self._switch(number, is_online=True)  # first: the Go csi-proxy partitions no disk that is offline
        if not read_only:
            self._client.disk.partition_disk(number)
        volumes = self._client.volume.list_volumes_on_disk(number)
        if not volumes:
            raise FailedPrecondition(
                f"disk {number} has no volume: partition it, or see why Windows makes none of its partition",
                WindowsCode.UNRECOGNIZED_VOLUME,
            )
        volume = volumes[0]
        if not self._client.volume.is_volume_formatted(volume):
            if read_only:
                raise UnformattedReadOnly(f"the volume of disk {number} is read-only and has no file system")
            with self._turn():
                self._format(volume)
        return volume

    def _format(self, volume: str) -> None:
        """Format; where another call has done it meanwhile, that is success."""
        try:
            self._client.volume.format_volume(volume)
        except CsiProxyError as error:
            if not is_refusal(error) or not self._client.volume.is_volume_formatted(volume):
                raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        taken = self._turns is not None and self._turns.acquire(timeout=self._patience)
        try:
            yield
        finally:
            if taken and self._turns is not None:
                self._turns.release()

    def _switch(self, number: int, *, is_online: bool) -> None:
        with suppress(
            Unimplemented
        ):  # disk v1beta1 and older have no such call, and bring disks online anyway
            self._client.disk.set_disk_state(number, is_online=is_online)

    def unmount_device(self, target: str, source: int | str | None = None) -> None:
        """Undo :meth:`format_and_mount`: flush, unmount, remove the directory, take the disk offline.

        Every step may have been done already; where the volume is unmounted, only ``source``, the disk's
        number, tells what is to be offline.  A disk that has another volume stays online.  The node refuses
        a link to a mount point: that is :meth:`Mounter.unmount`'s business.
        """
        path = on_node(target)
        try:
            volume = self._client.volume.get_volume_id_from_target_path(path)
        except CsiProxyError as error:
            if not is_refusal(error):
                raise
            self.mounter.unmount(path)
            if source is not None:
                self._retire(disk_number(source))
            return
        number = self._client.volume.get_disk_number_from_volume_id(volume)
        self._client.volume.unmount_volume(volume, path)
        self.mounter.unmount(path)
        self._retire(number)

    def _retire(self, number: int) -> None:
        if len(self._client.volume.list_volumes_on_disk(number)) <= 1:
            self._switch(number, is_online=False)


def disk_number(source: int | str) -> int:
    """Read a disk's number; InvalidArgument for anything else."""
    text = str(source)
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) < 1 << 32):
        raise InvalidArgument(f"'{text[:64]}' is not the number of a disk")
    return int(text)
