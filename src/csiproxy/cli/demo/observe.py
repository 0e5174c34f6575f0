"""What a call has done, seen past the proxy: on the node itself and in the files of its drive C:.

Most replies hold nothing but "OK"; each function here looks whether it is so, raises CheckFailed when not,
and returns what it saw in words.
"""

import os

from csiproxy.cli.demo.node import Node
from csiproxy.cli.demo.player import require
from csiproxy.cli.sizes import show_size


def disks(node: Node) -> str:
    """The disks that the node sees."""
    return "the node sees " + ", ".join(
        f"disk {disk.number} ({show_size(disk.size)})" for disk in node.disks()
    )


def partitioned(node: Node, number: int) -> str:
    """A disk with a data partition."""
    disk = node.disk(number)
    require(any(not partition.reserved for partition in disk.partitions), f"disk {number} has no partition")
    sizes = [
        show_size(partition.size) + (" reserved" if partition.reserved else "")
        for partition in disk.partitions
    ]
    return f"disk {number}, {disk.style}: {', '.join(sizes)}"


def formatted(node: Node, volume_id: str, file_system: str = "NTFS") -> str:
    """A volume with the file system."""
    volume = node.volume(volume_id)
    require(volume.file_system == file_system, f"the volume holds {volume.file_system or 'nothing'}")
    return f"{volume.file_system}, {show_size(volume.used)} of {show_size(volume.size)} used"


def mounted(node: Node, volume_id: str, path: str) -> str:
    """A volume that is mounted at a path, and nowhere else."""
    found = node.volume(volume_id).mount_points
    require(found == (path,), f"the volume is mounted at {found or 'no path'}")
    return f"mounted at {path}"


def unmounted(node: Node, volume_id: str) -> str:
    """A volume that is mounted nowhere."""
    found = node.volume(volume_id).mount_points
    require(not found, f"the volume is still mounted at {found}")
    return "mounted nowhere any more"


def directory(node: Node, path: str) -> str:
    """A real directory."""
    at = node.host_path(path)
    require(os.path.isdir(at) and not os.path.islink(at), f"{path} is no directory")
    return path


def linked(node: Node, link: str, target: str) -> str:
    """A link that leads where the target is."""
    at = node.host_path(link)
    require(os.path.islink(at), f"{link} is no link")
    require(os.path.realpath(at) == os.path.realpath(node.host_path(target)), f"{link} leads elsewhere")
    return f"{link} → {target}"


def gone(node: Node, path: str) -> str:
    """A name that does not exist."""
    require(not os.path.lexists(node.host_path(path)), f"{path} is still there")
    return f"{path} is gone"


def as_large_as_fits(node: Node, number: int, volume_id: str) -> str:
    """A volume that takes the disk up to its last few MiB."""
    disk, volume = node.disk(number), node.volume(volume_id)
    require(volume.size > disk.size * 9 // 10, f"the volume has {volume.size} of {disk.size} bytes")
    return f"{show_size(volume.size)} of the disk's {show_size(disk.size)}"


def offline(node: Node, number: int) -> str:
    """A disk that the node leaves alone, with no volume to see."""
    disk = node.disk(number)
    volumes = sum(len(partition.volumes) for partition in disk.partitions)
    require(not disk.online and not volumes, f"disk {number} still shows {volumes} volumes")
    return f"disk {number} shows no volume any more"
