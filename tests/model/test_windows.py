"""Whatever clients, operators and workloads do in whichever order, the proxy does what the model says."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.crash.conftest import IN_MEMORY
from tests.crash.picture import table_faults
from tests.emulated import MIB, NO_VOLUME, PLUGINS, PODS, EmulatedNode, tree
from tests.model import observed
from tests.model.windows import SYSTEM, Kind, Refused, Style, Windows
from tests.thoroughness import THOROUGH

from csiproxy.errors import CsiProxyError
from csiproxy.operations import Operations
from csiproxy.operations.context import Context

# Few names, so that calls meet; two spellings of one.
plugins = st.sampled_from([rf"{PLUGINS}\{name}" for name in ("a", "b", r"a\b", r"A\B")])
pods = st.sampled_from([rf"{PODS}\{name}" for name in ("a", "A", r"a\b")])
paths = st.one_of(plugins, pods)
NO_DISK = 9
attached = st.runner().flatmap(lambda self: st.sampled_from(sorted(self.windows.disks)))
numbers = st.one_of(attached, attached, st.sampled_from([SYSTEM, NO_DISK]))
images = st.runner().flatmap(lambda self: st.sampled_from(sorted(self.windows.images)))
sizes = st.sampled_from([8 * MIB, 40 * MIB, 64 * MIB])
options = st.sampled_from([{}, {}, {}, {"offline": True}, {"policy_read_only": True}, {"read_only": True}])
styles = st.sampled_from([Style.MBR, Style.GPT])
MOST_DISKS = 3


class Node(RuleBasedStateMachine):
    """The real node and the model, which get the same calls."""

    @initialize()
    def start(self) -> None:
        parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
        self.directory = Path(tempfile.mkdtemp(prefix="cp-", dir=parent))
        self.node = EmulatedNode(self.directory)
        self.groups: Operations = self.node.operations()
        self.windows = Windows()
        self.volumes: dict[int, str] = {}
        self.images = 0
        self.untouched = self.elsewhere()
        for _ in range(2):
            self.attach_new(40 * MIB, {})

    def teardown(self) -> None:
        if hasattr(self, "node"):
            self.node.close()
            shutil.rmtree(self.directory)

    # --- both at once

    def call(self, operation, expect, result=lambda reply: None, **fields) -> None:
        """Make a call; its result or failure is what the model gives."""
        try:
            wanted: object = expect()
        except Refused as refused:
            wanted = (refused.error, refused.windows_code)
        try:
            given: object = result(operation(Context(), **fields))
        except CsiProxyError as error:
            given = (type(error), error.windows_code)
            assert isinstance(wanted, tuple), f"{error} where {wanted} was expected"
        assert given == wanted

    def volume(self, image: int) -> str:
        return self.volumes.get(image, NO_VOLUME)

    def image_of(self, volume_id: str) -> int:
        return next(image for image, known in self.volumes.items() if known == volume_id)

    def learn(self) -> None:
        """Windows has made up the names of new volumes."""
        for number, disk in self.windows.disks.items():
            for volume in self.groups.volume.list_volumes_on_disk(
                Context(), disk_number=number, partition_number=0
            ).volume_ids:
                assert self.volumes.setdefault(disk.image, volume) == volume

    # --- operators and workloads

    @precondition(lambda self: len(self.windows.disks) < MOST_DISKS)
    @rule(size=sizes, options=options)
    def attach_new(self, size, options) -> None:
        self.images += 1
        number = self.node.attach(size, f"{self.images}.img", **options)
        self.windows.attach(number, self.images, size, **options)

    @precondition(lambda self: len(self.windows.disks) < MOST_DISKS and self.detached())
    @rule(options=options)
    def attach_again(self, options) -> None:
        image = self.detached()[-1]
        number = self.node.machine.disks.attach(str(self.directory / f"{image}.img"), **options)
        self.windows.attach(number, image, **options)
        self.learn()

    def detached(self) -> list[int]:
        attached = {disk.image for disk in self.windows.disks.values()}
        return [image for image in self.windows.images if image not in attached]

    @precondition(lambda self: len(self.windows.disks) > 1)
    @rule(number=attached)
    def detach(self, number) -> None:
        self.node.machine.disks.detach(number)
        self.windows.detach(number)

    @rule(number=attached, by=st.sampled_from([MIB // 2, MIB, 24 * MIB]))
    def grow(self, number, by) -> None:
        size = self.windows.images[self.windows.disks[number].image].size + by
        self.node.machine.disks.grow(number, size)
        self.windows.grow(number, size)

    @rule(path=paths)
    def make_a_file(self, path) -> None:
        if self.windows.put(path, Kind.FILE):
            with open(self.host(path), "x"):
                pass

    @rule(path=paths)
    def plant_a_link(self, path) -> None:
        if self.windows.put(path, Kind.PLANTED):
            os.symlink("/", self.host(path))

    def host(self, path: str) -> str:
        """The host path of a name that is to be made; its directories are spelt as they are."""
        parent, _, name = path.rpartition("\\")
        below = parent.removeprefix(PLUGINS).removeprefix(PODS)
        at = self.node.on_host(PLUGINS if parent.startswith(PLUGINS) else PODS)
        for part in filter(None, below.split("\\")):
            at = os.path.join(at, next(found for found in os.listdir(at) if found.lower() == part.lower()))
        return os.path.join(at, name)

    @rule(image=images)
    def write_on_a_volume(self, image) -> None:
        if self.windows.write(image, "file"):
            [directory] = (self.directory / f"{image}.img.d").iterdir()
            (directory / "file").write_text("precious")

    # --- group filesystem

    @rule(path=paths)
    def path_exists(self, path) -> None:
        ask = self.groups.filesystem.path_exists
        self.call(ask, lambda: self.windows.path_exists(path), lambda reply: reply.exists, path=path)

    @rule(path=paths)
    def mkdir(self, path) -> None:
        self.call(self.groups.filesystem.mkdir, lambda: self.windows.mkdir(path), path=path)

    @rule(path=paths, force=st.booleans())
    def rmdir(self, path, force) -> None:
        remove = self.groups.filesystem.rmdir
        self.call(remove, lambda: self.windows.rmdir(path, force), path=path, force=force)

    @rule(path=paths)
    def rmdir_contents(self, path) -> None:
        empty = self.groups.filesystem.rmdir_contents
        self.call(empty, lambda: self.windows.rmdir_contents(path), path=path)

    @rule(source=paths, link=paths)
    def create_symlink(self, source, link) -> None:
        create = self.groups.filesystem.create_symlink
        fields = {"source_path": source, "target_path": link}
        self.call(create, lambda: self.windows.create_symlink(source, link), **fields)

    @rule(path=paths)
    def is_symlink(self, path) -> None:
        ask = self.groups.filesystem.is_symlink
        self.call(ask, lambda: self.windows.is_symlink(path), lambda reply: reply.is_symlink, path=path)

    # --- CSIProxyService on names

    @rule(path=plugins)
    def service_mkdir(self, path) -> None:
        mkdir = self.groups.csi_proxy_service.mkdir
        self.call(mkdir, lambda: self.windows.service_mkdir(path), path=path, context=0)

    @rule(path=pods)
    def service_rmdir(self, path) -> None:
        rmdir = self.groups.csi_proxy_service.rmdir
        self.call(rmdir, lambda: self.windows.service_rmdir(path), path=path, context=1)

    @rule(link=pods, end=plugins)
    def link_path(self, link, end) -> None:
        fields = {"source_path": link, "target_path": end}
        make = self.groups.csi_proxy_service.link_path
        self.call(make, lambda: self.windows.link_path(link, end), **fields)

    @rule(path=pods)
    def unlink_path(self, path) -> None:
        unlink = self.groups.csi_proxy_service.unlink_path
        self.call(unlink, lambda: self.windows.unlink_path(path), path=path)

    # --- what chance would seldom come upon

    @rule(link=plugins, end=plugins)
    def tie_links_in_a_circle(self, link, end) -> None:
        for path in (link, end):
            self.rmdir(path, True)
        self.mkdir(end)
        self.create_symlink(end, link)
        self.rmdir(end, False)
        self.create_symlink(link, end)
        self.is_symlink(link)
        self.get_volume_id_from_target_path(link)

    @rule(path=paths)
    def put_a_file_in_place_of_what_is_there(self, path) -> None:
        self.rmdir(path, True)
        self.make_a_file(path)

    # --- group disk, and CSIProxyService on disks

    @rule()
    def rescan(self) -> None:
        self.call(self.groups.disk.rescan, self.windows.rescan)

    @rule(number=numbers)
    def partition_disk(self, number) -> None:
        partition = self.groups.disk.partition_disk
        self.call(partition, lambda: self.windows.partition_disk(number), disk_number=number)
        self.learn()

    @rule(number=numbers, style=styles)
    def service_partition_disk(self, number, style) -> None:
        fields = {"disk_device": rf"\\.\PhysicalDrive{number}", "type": style.value - 1}
        partition = self.groups.csi_proxy_service.partition_disk
        self.call(partition, lambda: self.windows.partition_disk(number, style), **fields)
        self.learn()

    @rule(number=numbers, online=st.booleans())
    def set_disk_state(self, number, online) -> None:
        fields = {"disk_number": number, "is_online": online}
        self.call(
            self.groups.disk.set_disk_state, lambda: self.windows.set_disk_state(number, online), **fields
        )
        self.learn()

    @rule(number=numbers)
    def ask_about_a_disk(self, number) -> None:
        disk, windows = self.groups.disk, self.windows
        self.call(
            disk.get_disk_stats,
            lambda: windows.get_disk_stats(number),
            lambda reply: reply.total_bytes,
            disk_number=number,
        )
        self.call(
            disk.get_disk_state,
            lambda: windows.get_disk_state(number),
            lambda reply: reply.is_online,
            disk_number=number,
        )
        if number != SYSTEM:
            self.call(
                self.groups.volume.list_volumes_on_disk,
                lambda: windows.list_volumes_on_disk(number),
                lambda reply: tuple(map(self.image_of, reply.volume_ids)),
                disk_number=number,
                partition_number=0,
            )

    # --- group volume, and CSIProxyService on volumes

    @rule(image=images)
    def ask_about_a_volume(self, image) -> None:
        volume, windows = self.groups.volume, self.windows
        for ask, expect, result in (
            (volume.is_volume_formatted, windows.is_volume_formatted, lambda reply: reply.formatted),
            (volume.get_volume_stats, windows.get_volume_stats, lambda reply: reply.total_bytes),
            (
                volume.get_disk_number_from_volume_id,
                windows.get_disk_number_from_volume_id,
                lambda reply: reply.disk_number,
            ),
        ):
            self.call(ask, lambda expect=expect: expect(image), result, volume_id=self.volume(image))

    @rule(path=paths)
    def get_volume_id_from_target_path(self, path) -> None:
        self.call(
            self.groups.volume.get_volume_id_from_target_path,
            lambda: self.windows.get_volume_id_from_target_path(path),
            lambda reply: self.image_of(reply.volume_id),
            target_path=path,
        )

    @rule(image=images)
    def format_volume(self, image) -> None:
        format_volume = self.groups.volume.format_volume
        self.call(format_volume, lambda: self.windows.format_volume(image), volume_id=self.volume(image))

    @rule(image=images, fat=st.booleans())
    def service_format_volume(self, image, fat) -> None:
        self.call(
            self.groups.csi_proxy_service.format_volume,
            lambda: self.windows.service_format_volume(image, "FAT32" if fat else "NTFS"),
            volume_device=self.volume(image),
            type=int(fat),
        )

    @rule(image=images, path=paths)
    def mount_volume(self, image, path) -> None:
        self.call(
            self.groups.volume.mount_volume,
            lambda: self.windows.mount_volume(image, path),
            volume_id=self.volume(image),
            target_path=path,
        )

    @rule(image=images, path=plugins)
    def stage(self, image, path) -> None:
        """What a driver does: three calls in a row, so that mounted volumes are no rarity."""
        self.mkdir(path)
        for number, disk in list(self.windows.disks.items()):
            if disk.image == image:
                self.partition_disk(number)
        self.call(
            self.groups.csi_proxy_service.format_volume,
            lambda: self.windows.service_format_volume(image, "NTFS"),
            volume_device=self.volume(image),
            type=0,
        )
        self.call(
            self.groups.csi_proxy_service.mount_volume,
            lambda: self.windows.mount_volume(image, path),
            volume_device=self.volume(image),
            target_path=path,
            readonly=False,
        )

    @rule(link=pods, end=plugins)
    def publish(self, link, end) -> None:
        """What a driver does for a pod."""
        self.mkdir(end)
        self.mkdir(link.rpartition("\\")[0])
        self.link_path(link, end)

    @rule(image=images, path=paths)
    def unmount_volume(self, image, path) -> None:
        self.call(
            self.groups.volume.unmount_volume,
            lambda: self.windows.unmount_volume(image, path),
            volume_id=self.volume(image),
            target_path=path,
        )

    @rule(image=images)
    def dismount_volume(self, image) -> None:
        dismount = self.groups.csi_proxy_service.dismount_volume
        self.call(dismount, lambda: self.windows.dismount_volume(image), volume_device=self.volume(image))

    @rule(image=images, size=st.sampled_from([0, 1, 20 * MIB, 63 * MIB + 1, 64 * MIB, 88 * MIB]))
    def resize_volume(self, image, size) -> None:
        self.call(
            self.groups.volume.resize_volume,
            lambda: self.windows.resize_volume(image, size),
            volume_id=self.volume(image),
            size_bytes=size,
        )

    @rule()
    def restart_node_and_proxy(self) -> None:
        """A new start changes nothing, but Windows sees at once how large its disks are."""
        self.node.close()
        self.node = EmulatedNode(self.directory)
        self.groups = self.node.operations()
        self.windows.rescan()

    # --- what always holds

    @invariant()
    def the_node_is_as_the_model_says(self) -> None:
        if hasattr(self, "node"):
            inventory = self.node.machine.inventory()
            assert observed.lines(self.node.host, inventory, self.volumes) == self.windows.lines()

    @invariant()
    def every_table_is_whole_and_no_path_has_two_volumes(self) -> None:
        if not hasattr(self, "node"):
            return
        inventory = self.node.machine.inventory()
        assert [table_faults(report.image) for report in inventory] == [""] * len(inventory)
        mounted = [path for disk in inventory for volume in disk.volumes for path in volume.mount_points]
        assert len(set(map(str.lower, mounted))) == len(mounted)

    @invariant()
    def everything_else_is_as_it_was(self) -> None:
        if hasattr(self, "node"):
            assert self.elsewhere() == self.untouched

    def elsewhere(self) -> tuple[object, ...]:
        """The system disk, and drive C: outside of the prefixes."""
        drive = tree(self.node.on_host("C:"))
        ours = [
            self.node.on_host(path).removeprefix(self.node.on_host("C:")) + "/" for path in (PLUGINS, PODS)
        ]
        outside = {name: what for name, what in drive.items() if not f"/{name}".startswith(tuple(ours))}
        with open(self.node.image_of(SYSTEM), "rb") as file:
            begin = file.read(MIB)
        return outside, begin


TestNode = Node.TestCase
TestNode.settings = settings(
    max_examples=400 if THOROUGH else 20,
    stateful_step_count=60 if THOROUGH else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
