r"""The mount interface of Kubernetes' mount-utils, through csi-proxy.

A "bind mount" is a directory link, a volume's mount is a mount point, a share's is a mapping with a link to
it.  Paths may be spelt as kubelet does, on any system.  What is done already is success, so a call may be
repeated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from csiproxy.client import Client
from csiproxy.errors import AlreadyExists, CsiProxyError, FailedPrecondition, InvalidArgument, NotFound
from csiproxy.mounter import smb
from csiproxy.mounter.answers import is_corrupted_mount, is_refusal
from csiproxy.mounter.options import BIND, refuse_unkept
from csiproxy.mounter.paths import is_share, is_volume_id, normalised, on_node, parent

TMPFS: Final = "tmpfs"
_SMB: Final = frozenset({"cifs", "smb", "smb3"})


@dataclass(frozen=True, slots=True)
class MountPoint:
    """One entry of :meth:`Mounter.list`."""

    device: str
    path: str
    type: str
    options: tuple[str, ...] = ()


class Mounter:
    """Mounts on one node."""

    def __init__(self, client: Client) -> None:
        self._client = client

    # --- mounting ------------------------------------------------------------------------------------

    def mount(self, source: str, target: str, fstype: str = "", options: Sequence[str] = ()) -> None:
        """Mount ``source`` at ``target``; no option may be a secret.  See :meth:`mount_sensitive`."""
        self.mount_sensitive(source, target, fstype, options)

    def mount_sensitive(
        self,
        source: str,
        target: str,
        fstype: str = "",
        options: Sequence[str] = (),
        sensitive_options: Sequence[str] = (),
    ) -> None:
        r"""Mount ``source`` at ``target``, whose parent is made where it is missing.

        ===================================== ======================================================
        source, type, options                 what happens
        ===================================== ======================================================
        ``tmpfs``                             a directory, as Windows has no file system in memory
        a directory, ``bind``                 a link to it
        a volume id                           the volume is mounted
        a share, ``cifs``, user and password  the share is mapped and linked (``mounter.smb``)
        ===================================== ======================================================

        InvalidArgument for any other combination and for an option that Windows cannot keep to.  No text ever
        has a sensitive option in it.
        """
        path = on_node(target)
        if source == TMPFS or fstype == TMPFS:
            self._client.filesystem.mkdir(path)
        elif BIND in options:
            refuse_unkept(options)
            self._link(on_node(source), path)
        elif is_volume_id(source):
            refuse_unkept(options)
            self.mount_volume(source, path)
        elif is_share(source) and fstype.lower() in _SMB:
            login = smb.login(options, sensitive_options)
            smb.mount(self._client, source, path, login)
        else:
            raise InvalidArgument(
                f"'{source[:260]}' cannot be mounted as type '{fstype[:32]}': give a directory and the "
                "option bind, a volume id, or a share with the type cifs"
            )

    def mount_sensitive_without_systemd(
        self,
        source: str,
        target: str,
        fstype: str = "",
        options: Sequence[str] = (),
        sensitive_options: Sequence[str] = (),
    ) -> None:
        """Do as :meth:`mount_sensitive`: Windows has no systemd."""
        self.mount_sensitive(source, target, fstype, options, sensitive_options)

    def mount_sensitive_without_systemd_with_mount_flags(
        self,
        source: str,
        target: str,
        fstype: str = "",
        options: Sequence[str] = (),
        sensitive_options: Sequence[str] = (),
        mount_flags: Sequence[str] = (),
    ) -> None:
        """Do as :meth:`mount_sensitive`; flags of mount(8) are refused."""
        if mount_flags:
            raise InvalidArgument(
                f"Windows has no mount(8), so it cannot keep to {', '.join(mount_flags)[:200]}"
            )
        self.mount_sensitive(source, target, fstype, options, sensitive_options)

    def mount_volume(self, volume_id: str, target: str) -> None:
        """Mount a volume at a directory, which is made where it is missing: one call where it is there."""
        path = on_node(target)
        try:
            self._client.volume.mount_volume(volume_id, path)
        except CsiProxyError as error:
            if not is_refusal(error) or self._client.filesystem.path_exists(path):
                raise
            self._client.filesystem.mkdir(path)
            self._client.volume.mount_volume(volume_id, path)

    def _link(self, source: str, target: str) -> None:
        """Make a link; an empty directory, or a link that leads nowhere any more, makes room for it."""
        files = self._client.filesystem
        files.mkdir(parent(target))
        try:
            files.create_symlink(source_path=source, target_path=target)
        except CsiProxyError as error:
            if not is_refusal(error) or not files.path_exists(target):
                raise
            if files.is_symlink(target):
                raise AlreadyExists(f"something else is mounted at {target}: unmount it first") from error
            files.rmdir(target)
            files.create_symlink(source_path=source, target_path=target)

    # --- unmounting ----------------------------------------------------------------------------------

    def unmount(self, target: str) -> None:
        """Remove the link or mount point at ``target``; nothing there is success.

        A volume is flushed before.  What a mount leads to is never touched; a directory with something in it
        is FailedPrecondition.
        """
        path = on_node(target)
        try:
            self._client.filesystem.rmdir(path)
        except NotFound:
            return
        except CsiProxyError as error:
            if not is_refusal(error):
                raise
            if not self._client.filesystem.path_exists(path):
                return
            if not self._client.filesystem.is_symlink(path):
                raise  # a directory with something in it
            volume = self._client.volume.get_volume_id_from_target_path(path)
            self._client.volume.unmount_volume(volume, path)
            self._client.filesystem.rmdir(path)

    # --- questions -----------------------------------------------------------------------------------

    def list(self) -> tuple[MountPoint, ...]:
        """Always (): Windows has no table of mounts, and mount-utils says so in the same way."""
        return ()

    def is_likely_not_mount_point(self, path: str) -> bool:
        """Whether ``path`` is a plain directory or a link that leads nowhere.  NotFound where nothing is."""
        return not self.is_mount_point(path)

    def is_mount_point(self, path: str) -> bool:
        """Whether a link or mount point that leads to something is at ``path``.  NotFound where nothing is.

        One call for a mount; where the server's refusal does not say that nothing is there, a second one.
        """
        place = on_node(path)
        try:
            return self._client.filesystem.is_symlink(place)
        except NotFound:
            raise
        except CsiProxyError as error:
            if is_refusal(error) and not self._client.filesystem.path_exists(place):
                raise NotFound(f"nothing is at {place}") from error
            raise

    def can_safely_skip_mount_point_check(self) -> bool:
        """Always False: removing a directory that a volume is mounted at is no harmless try."""
        return False

    def get_mount_refs(self, path: str) -> tuple[str, ...]:
        """The path itself where something is there that is not corrupted, else ().

        Windows does not tell what else a volume is mounted at.
        """
        try:
            there = self._client.filesystem.path_exists(on_node(path))
        except CsiProxyError as error:
            if not is_corrupted_mount(error):
                raise
            there = False
        return (normalised(path),) if there else ()

    def clean_up(self, target: str) -> None:
        """Unmount what is at ``target``, corrupted or not, and see that nothing is left there.

        Nothing there is success, an empty directory goes; FailedPrecondition for one that is not empty.
        """
        self.unmount(target)
        if self._client.filesystem.path_exists(on_node(target)):
            raise FailedPrecondition(f"something is at {target} again: see who makes it")
