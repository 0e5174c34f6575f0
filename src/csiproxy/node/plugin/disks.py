"""A disk's volume at a staging path: what directly attached disks and iSCSI LUNs have in common."""

from csiproxy.client import Client
from csiproxy.errors import CsiProxyError, FailedPrecondition, InvalidArgument
from csiproxy.mounter.answers import is_refusal
from csiproxy.mounter.links import is_live_link, remove_link
from csiproxy.node.plugin.records import Record
from csiproxy.node.plugin.source import Staging

PARTITION_KEY = "partition"
_LARGEST_PARTITION = 128


def partition(staging: Staging) -> int:
    """The partition that a context selects; 0 where the disk has one volume and none is selected."""
    text = staging.context.get(PARTITION_KEY, "")
    if not text:
        return 0
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 0 < number <= _LARGEST_PARTITION:
        raise InvalidArgument(f"'{text[:16]}' is no number of a partition: 1 to {_LARGEST_PARTITION}")
    return number


def stage(staging: Staging, number: int, partition: int) -> str:
    """Bring the volume of a disk to the staging path and return its name.

    Six calls, seven where it has to be formatted: a disk that was staged before is offline, a new one may be.
    Each of them does nothing where it was done already.
    """
    client = staging.client
    client.disk.set_disk_state(number, is_online=True)
    if not partition and not staging.read_only:
        client.disk.partition_disk(number)
    volume = _volume(client, number, partition)
    if not client.volume.is_volume_formatted(volume):
        if staging.read_only:
            raise FailedPrecondition("the volume is read-only and has no file system: format it first")
        client.volume.format_volume(volume)
    _mount(client, volume, staging.path)
    return volume


def _volume(client: Client, number: int, partition: int) -> str:
    volumes = client.volume.list_volumes_on_disk(number, partition)
    if not volumes:
        raise FailedPrecondition(f"disk {number} has no volume to stage: partition it first")
    if len(volumes) > 1:
        raise FailedPrecondition(
            f"disk {number} has {len(volumes)} volumes: select one by '{PARTITION_KEY}' in the context"
        )
    return volumes[0]


def _mount(client: Client, volume: str, path: str) -> None:
    try:
        client.volume.mount_volume(volume, path)
    except CsiProxyError as error:
        if not is_refusal(error) or client.filesystem.path_exists(path):
            raise
        client.filesystem.mkdir(path)  # kubelet makes it; other callers may not have
        client.volume.mount_volume(volume, path)


def unstage(client: Client, record: Record, *, offline: bool) -> None:
    """Flush and unmount a volume, and take its disk offline, so that it can be detached.

    Three calls.  A disk that has gone meanwhile leaves a mount point that leads nowhere; that is removed,
    too.
    """
    volume = record.volume or _mounted_at(client, record.staging_path)
    if not volume:
        return
    try:
        client.volume.unmount_volume(volume, record.staging_path)
    except CsiProxyError as error:
        if not is_refusal(error):
            raise
        if _mounted_at(client, record.staging_path):
            raise
        remove_link(client, record.staging_path)
    if offline:
        _take_offline(client, volume)


def clear(client: Client, path: str) -> None:
    """Undo what is at a staging path of which nothing is known: two calls where there is nothing.

    A volume that is mounted there is unmounted and its disk taken offline; a link is removed.
    """
    volume = _mounted_at(client, path)
    if volume:
        client.volume.unmount_volume(volume, path)
        _take_offline(client, volume)
    elif is_live_link(client, path):
        remove_link(client, path)


def _take_offline(client: Client, volume: str) -> None:
    try:
        client.disk.set_disk_state(client.volume.get_disk_number_from_volume_id(volume), is_online=False)
    except CsiProxyError as error:
        if not is_refusal(error):
            raise  # else the disk has gone: nothing is left to be taken offline


def _mounted_at(client: Client, path: str) -> str:
    """The volume that is mounted at a path; "" where none is."""
    try:
        return client.volume.get_volume_id_from_target_path(path)
    except CsiProxyError as error:
        if not is_refusal(error):
            raise
        return ""
