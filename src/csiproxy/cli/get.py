"""``csi-proxy get``: the disks, volumes, mounts, shares and iSCSI targets of a node as tables."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from csiproxy.cli import inventory
from csiproxy.cli.inventory import Disk, Links, Target
from csiproxy.cli.output import Output, output_option, table, waiting
from csiproxy.cli.places import kubelet_option, node_directory, open_node, state_option
from csiproxy.cli.sizes import show_size
from csiproxy.storage.share_links import share_of


@click.group("get")
def command() -> None:
    """List what a node has now.  It is asked directly, so no proxy has to run."""


@command.command("disks")
@state_option
@output_option
@click.pass_obj
def get_disks(output: Output, state: str | None, host: str | None) -> None:
    """List the disks: what identifies them, where they hang, in which state they are."""
    found = _disks(node_directory(state, host))
    columns = ("DISK", "SIZE", "TABLE", "STATE", "LUN", "SERIAL NUMBER", "PAGE 83", "VOLUMES")
    rows = [
        (
            str(disk.number),
            show_size(disk.size),
            disk.style,
            disk_state(disk),
            disk.location.lun if disk.location else "",
            disk.serial_number,
            " ".join(disk.identifiers),
            str(sum(len(partition.volumes) for partition in disk.partitions)),
        )
        for disk in found
    ]
    _write(output, [asdict(disk) for disk in found], columns, rows, right=("DISK", "SIZE", "LUN", "VOLUMES"))


@command.command("volumes")
@state_option
@output_option
@click.pass_obj
def get_volumes(output: Output, state: str | None, host: str | None) -> None:
    """List the volumes of online disks: file system, size, how full, where mounted."""
    found = list(inventory.volumes_of(_disks(node_directory(state, host))))
    columns = ("VOLUME", "DISK", "PARTITION", "FILE SYSTEM", "SIZE", "USED", "MOUNTED AT")
    rows = [
        (
            volume.id,
            str(disk.number),
            str(partition.number),
            volume.file_system or "raw",
            show_size(volume.size) if volume.formatted else show_size(partition.size),
            show_size(volume.used) if volume.formatted else "",
            " ".join(volume.mount_points),
        )
        for disk, partition, volume in found
    ]
    documents = [
        {
            **asdict(volume),
            "disk": disk.number,
            "partition": partition.number,
            "partition_size": partition.size,
        }
        for disk, partition, volume in found
    ]
    _write(output, documents, columns, rows, right=("DISK", "PARTITION", "SIZE", "USED"))


@command.command("mounts")
@kubelet_option
@state_option
@output_option
@click.pass_obj
def get_mounts(output: Output, state: str | None, host: str | None, kubelet_path: str) -> None:
    """List the mount points and links below kubelet's directory, and where they lead."""
    node = open_node(node_directory(state, host))
    with waiting("looking for mount points and links …"):
        disks = inventory.read_disks(node)
        links = inventory.read_links(node.win32, kubelet_path)
    rows = [
        (link.path, link.kind, link.target, _disk_number(disks, link.target, link.kind))
        for link in links.found
    ]
    documents = [
        {**asdict(link), "disk": int(disk) if disk.isdigit() else None}
        for link, (*_, disk) in zip(links.found, rows, strict=True)
    ]
    _write(output, documents, ("PATH", "KIND", "LEADS TO", "DISK"), rows, right=("DISK",))
    warn_incomplete(links)


@command.command("shares")
@kubelet_option
@state_option
@output_option
@click.pass_obj
def get_shares(output: Output, state: str | None, host: str | None, kubelet_path: str) -> None:
    """List the SMB shares that are mapped, and which links below kubelet's directory lead to them."""
    node = open_node(node_directory(state, host))
    with waiting("asking the servers of the mapped shares …"):
        shares = inventory.read_shares(node)
        links = inventory.read_links(node.win32, kubelet_path)
    used = [
        (share, [link.path for link in links.found if share_of(link.target) == share.remote_path.lower()])
        for share in shares
    ]
    rows = [
        (share.remote_path, share.status, "yes" if share.encrypted else "not required", " ".join(paths))
        for share, paths in used
    ]
    documents = [{**asdict(share), "links": paths} for share, paths in used]
    _write(output, documents, ("SHARE", "STATUS", "ENCRYPTION", "LINKED AT"), rows, right=())
    warn_incomplete(links)


@command.command("targets")
@state_option
@output_option
@click.pass_obj
def get_targets(output: Output, state: str | None, host: str | None) -> None:
    """List the iSCSI targets that the node knows: where they are offered, whether it is logged in, disks."""
    node = open_node(node_directory(state, host))
    with waiting("asking the node for its targets …"):
        found = inventory.read_targets(node)
    rows = [
        (target.iqn, " ".join(target.portals), _session(target), " ".join(map(str, target.disks)))
        for target in found
    ]
    _write(
        output,
        [asdict(target) for target in found],
        ("TARGET", "PORTALS", "SESSION", "DISKS"),
        rows,
        right=(),
    )


def _session(target: Target) -> str:
    words = ["connected" if target.connected else "none"]
    return ", ".join(words + ["persistent"] * target.persistent)


def disk_state(disk: Disk) -> str:
    """Return a disk's state in words."""
    words = ["online" if disk.online else "offline"]
    words += [word for word, holds in (("read-only", disk.read_only), ("system", disk.system)) if holds]
    return ", ".join(words)


def warn_incomplete(links: Links) -> None:
    """Say so when a walk had to stop early; nobody should take a part for the whole."""
    if not links.complete:
        click.echo(
            f"csi-proxy: stopped after {inventory.MAX_NAMES} names or {inventory.MAX_DEPTH} levels; "
            "name a smaller directory with --kubelet-path",
            err=True,
        )


def _disk_number(disks: Sequence[Disk], volume: str, kind: str) -> str:
    if kind != "mount point":
        return ""
    disk = inventory.disk_of(disks, volume)
    return str(disk.number) if disk else "offline or gone"


def _disks(directory: str) -> tuple[Disk, ...]:
    node = open_node(directory)
    with waiting("asking the node for its disks …"):
        return inventory.read_disks(node)


def _write(
    output: Output,
    documents: Sequence[object],
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[str],
) -> None:
    shown = table(columns, rows, right=right) if rows else "nothing found"
    output.result(documents, lambda screen: screen.print(shown))
