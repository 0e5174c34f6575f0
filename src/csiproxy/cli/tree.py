"""``csi-proxy tree``: disks, partitions, volumes, shares, mount points and links in one picture."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import click
from rich.text import Text
from rich.tree import Tree

from csiproxy.cli import inventory
from csiproxy.cli.get import disk_state, warn_incomplete
from csiproxy.cli.inventory import Disk, Link, Links, Partition, Share, Volume
from csiproxy.cli.output import Output, output_option, waiting
from csiproxy.cli.places import kubelet_option, node_directory, open_node, state_option
from csiproxy.cli.sizes import show_size
from csiproxy.host.names import equality_key, printable
from csiproxy.storage.share_links import share_of

MAX_NESTING = 8
"""Links to links that are shown below each other; a loop would never end."""


@click.command("tree")
@kubelet_option
@state_option
@output_option
@click.pass_obj
def command(output: Output, state: str | None, host: str | None, kubelet_path: str) -> None:
    """Show disks, their partitions and volumes, where these are mounted, and which links lead there."""
    directory = node_directory(state, host)
    node = open_node(directory)
    with waiting("looking for disks, mount points and links …"):
        disks = inventory.read_disks(node)
        shares = inventory.read_shares(node)
        links = inventory.read_links(node.win32, kubelet_path)
    document = {
        "node": directory,
        "disks": [asdict(d) for d in disks],
        "shares": [asdict(s) for s in shares],
        "links": [asdict(x) for x in links.found],
    }
    output.result(document, lambda screen: screen.print(draw(f"node {directory}", disks, links, shares)))
    warn_incomplete(links)


def draw(title: str, disks: Sequence[Disk], links: Links, shares: Sequence[Share] = ()) -> Tree:
    """Draw a node.  Links and mount points that lead to no volume which is there come last."""
    picture = _Picture(links.found)
    tree = Tree(_line(title, "bold"))
    for disk in disks:
        picture.add_disk(tree, disk)
    for share in shares:
        picture.add_share(tree, share)
    picture.add_rest(tree)
    return tree


class _Picture:
    """The drawing, and which links it has shown already."""

    def __init__(self, links: Sequence[Link]) -> None:
        self._links = list(links)

    def add_disk(self, tree: Tree, disk: Disk) -> None:
        facts = [f"disk {disk.number}", show_size(disk.size), disk.style, disk_state(disk)]
        facts += [f"LUN {disk.location.lun}"] if disk.location and disk.location.lun else []
        facts += [f"serial {disk.serial_number}"] if disk.serial_number else []
        branch = tree.add(_line("  ".join(facts), "cyan"))
        for partition in disk.partitions:
            self._add_partition(branch, partition)

    def _add_partition(self, tree: Tree, partition: Partition) -> None:
        words = [
            word
            for word, holds in (
                ("reserved", partition.reserved),
                ("extended", partition.extended),
                ("offline", partition.offline),
            )
            if holds
        ]
        branch = tree.add(
            _line("  ".join([f"partition {partition.number}", show_size(partition.size), *words]), "dim")
        )
        for volume in partition.volumes:
            self._add_volume(branch, volume)

    def _add_volume(self, tree: Tree, volume: Volume) -> None:
        size = (
            f"{show_size(volume.used)} of {show_size(volume.size)} used"
            if volume.formatted
            else "not formatted"
        )
        branch = tree.add(_line("  ".join(filter(None, (volume.id, volume.file_system, size))), "green"))
        self._take(lambda link: link.kind == "mount point" and _same(link.target, volume.id))
        for path in volume.mount_points:
            self._add_links(branch.add(_line(f"mounted at {path}", "magenta")), path, MAX_NESTING)

    def _add_links(self, tree: Tree, path: str, nesting: int) -> None:
        """The links that lead to a path."""
        for link in self._take(lambda link: _same(link.target, path)):
            branch = tree.add(_line(f"{link.kind} {link.path}", "yellow"))
            if nesting:
                self._add_links(branch, link.path, nesting - 1)

    def add_share(self, tree: Tree, share: Share) -> None:
        facts = [f"share {share.remote_path}", share.status, *(["encrypted"] if share.encrypted else [])]
        branch = tree.add(_line("  ".join(facts), "cyan"))
        for link in self._take(lambda link: share_of(link.target) == share.remote_path.lower()):
            at = branch.add(_line(f"{link.kind} {link.path}", "yellow"))
            self._add_links(at, link.path, MAX_NESTING)

    def add_rest(self, tree: Tree) -> None:
        if self._links:
            branch = tree.add(_line("other links and mount points", "red"))
            for link in self._links:
                branch.add(_line(f"{link.kind} {link.path} → {link.target or 'unknown'}", ""))

    def _take(self, wanted: Callable[[Link], bool]) -> list[Link]:
        taken = [link for link in self._links if wanted(link)]
        self._links = [link for link in self._links if link not in taken]
        return taken


def _same(one: str, other: str) -> bool:
    return equality_key(one.rstrip("\\")) == equality_key(other.rstrip("\\"))


def _line(text: str, style: str) -> Text:
    return Text(printable(text), style=style, overflow="fold")
