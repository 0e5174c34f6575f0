"""Where growing a volume begins and ends: each boundary, to the byte and to the MiB, for both contracts.

What is expected is said here once more, from numbers that stand with each disk, not from the code's own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.emulated import MIB, EmulatedNode, Staged
from tests.operations.disk_images import Slice, staged, with_extended, with_gpt, with_mbr

from csiproxy.errors import CsiProxyError
from csiproxy.operations.context import Context

TIB = 1 << 40
KIB = 1 << 10
Resize = Callable[[Staged, int], None]


@dataclass(frozen=True)
class Shape:
    """A disk whose first volume grows.  ``largest`` is what it may become, worked out by hand."""

    style: Callable[..., str]
    disk: int
    slices: tuple[Slice, ...]
    largest: int

    @property
    def present(self) -> int:
        return self.slices[0].size


SHAPES = {
    "aligned, the rest is free": Shape(with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB),), 254 * MIB),
    "aligned, another one behind": Shape(
        with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB), Slice(64 * MIB, MIB)), 63 * MIB
    ),
    "another one right behind": Shape(
        with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB), Slice(21 * MIB, MIB)), 20 * MIB
    ),
    "another one less than a MiB behind": Shape(
        with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB), Slice(22 * MIB - 512, MIB)), 20 * MIB
    ),
    "another one a MiB behind": Shape(
        with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB), Slice(22 * MIB, MIB)), 21 * MIB
    ),
    "what is behind has no volume": Shape(
        with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB), Slice(64 * MIB, MIB, is_data=False)), 63 * MIB
    ),
    "begins between two MiB": Shape(with_gpt, 256 * MIB, (Slice(34 * 512, 20 * MIB),), 254 * MIB),
    "ends between two MiB": Shape(with_gpt, 256 * MIB, (Slice(MIB, 20 * MIB + 512),), 254 * MIB),
    "ends right before a MiB": Shape(with_gpt, 256 * MIB, (Slice(MIB, 21 * MIB - 512),), 254 * MIB),
    "reaches to the last usable sector": Shape(
        with_gpt, 256 * MIB, (Slice(34 * 512, 256 * MIB - 67 * 512),), 256 * MIB - 67 * 512
    ),
    "ends less than a MiB before what fits": Shape(
        with_gpt, 256 * MIB, (Slice(MIB, 253 * MIB + 512),), 254 * MIB
    ),
    "on a disk of no whole MiB": Shape(with_gpt, 256 * MIB + 1000 * KIB, (Slice(MIB, 20 * MIB),), 254 * MIB),
    "on MBR": Shape(with_mbr, 256 * MIB, (Slice(MIB, 20 * MIB),), 254 * MIB),
    "on MBR as old tools begin": Shape(
        with_mbr, 256 * MIB, (Slice(63 * 512, 20 * MIB), Slice(100 * MIB + 512, MIB)), 99 * MIB
    ),
    "on MBR of 3 TiB": Shape(with_mbr, 3 * TIB, (Slice(MIB, 100 * MIB),), 2 * TIB - MIB),
    "before an extended partition": Shape(
        partial(with_extended, container=Slice(100 * MIB, 100 * MIB)),
        256 * MIB,
        (Slice(MIB, 20 * MIB),),
        99 * MIB,
    ),
    "before an extended partition with one in it": Shape(
        partial(with_extended, container=Slice(100 * MIB, 100 * MIB), kind=5),
        256 * MIB,
        (Slice(MIB, 20 * MIB), Slice(101 * MIB, 20 * MIB)),
        99 * MIB,
    ),
    "alone in an extended partition": Shape(
        partial(with_extended, container=Slice(MIB, 200 * MIB)),
        256 * MIB,
        (Slice(2 * MIB, 20 * MIB),),
        199 * MIB,
    ),
    "in an extended partition, another one behind": Shape(
        partial(with_extended, container=Slice(MIB, 200 * MIB)),
        256 * MIB,
        (Slice(2 * MIB, 20 * MIB), Slice(64 * MIB, MIB), Slice(180 * MIB, MIB)),
        61 * MIB,
    ),
    "in an extended partition of old tools": Shape(
        partial(with_extended, container=Slice(63 * 512, 200 * MIB), ahead=63 * 512),
        256 * MIB,
        (Slice(126 * 512, 20 * MIB), Slice(100 * MIB + 126 * 512, MIB)),
        99 * MIB,
    ),
    "on GPT of 10 TiB": Shape(with_gpt, 10 * TIB, (Slice(MIB, 100 * MIB),), 10 * TIB - 2 * MIB),
    "on sectors of 4 KiB": Shape(
        partial(with_gpt, sector_size=4096), 256 * MIB, (Slice(24 * KIB, 20 * MIB + 4 * KIB),), 254 * MIB
    ),
}


def expected(shape: Shape, asked: int) -> int | None:
    """The size afterwards; None is a refusal with 87."""
    if not 0 <= asked <= shape.disk:
        return None
    if 0 < asked <= shape.present or shape.largest < shape.present + MIB:
        return shape.present
    enough = max(asked, shape.present + MIB)
    return shape.largest if asked == 0 else min(enough + -enough % MIB, shape.largest)


def test_one_byte_more_than_there_is_grows_a_volume_by_what_windows_takes_for_the_least():
    for name, grown in (
        ("aligned, the rest is free", 21 * MIB),
        ("ends between two MiB", 22 * MIB),
        ("ends right before a MiB", 22 * MIB),
        ("another one a MiB behind", 21 * MIB),
        ("another one less than a MiB behind", 20 * MIB),
        ("ends less than a MiB before what fits", 253 * MIB + 512),
    ):
        shape = SHAPES[name]
        assert expected(shape, shape.present) == shape.present
        assert expected(shape, shape.present + 1) == grown, name


def around(*sizes: int) -> list[int]:
    steps = (0, 1, 511, 512, MIB - 1, MIB, MIB + 1)
    return sorted({size + sign * step for size in sizes for step in steps for sign in (1, -1)})


def boundaries(shape: Shape) -> list[int]:
    """Every size at which the answer changes, and what lies a byte and a MiB beside it."""
    return [*around(0, shape.present, shape.largest, shape.disk), (1 << 62), (1 << 63) - 1, -(1 << 63)]


def partition_size(volume: Staged) -> int:
    storage = volume.node.storage
    return storage.volumes.partition(storage.volumes.get(volume.id)).size


def put_back(volume: Staged, size: int) -> None:
    """Make the partition as small as it was, as an operator could."""
    [found] = volume.node.machine.session.instances("MSFT_Volume", UniqueId=volume.id)
    [partition] = volume.node.machine.session.associated(found, "MSFT_PartitionToVolume", "MSFT_Partition")
    assert volume.node.machine.session.invoke(partition, "Resize", Size=size).return_value == 0


def of_the_group(volume: Staged, size: int) -> None:
    volume.node.operations().volume.resize_volume(Context(), volume_id=volume.id, size_bytes=size)


def of_the_service(volume: Staged, size: int) -> None:
    service = volume.node.operations().csi_proxy_service
    service.resize_volume(Context(), volume_device=volume.id, new_size=size)


def made(node: EmulatedNode, shape: Shape) -> Staged:
    path = shape.style(str(node.directory / "disk.img"), shape.disk, *shape.slices)
    return staged(node, path)[0]


def check(volume: Staged, shape: Shape, resize: Resize, asked: int) -> None:
    wanted = expected(shape, asked)
    code = 0
    try:
        resize(volume, asked)
    except CsiProxyError as error:
        code = error.windows_code
    assert (code, partition_size(volume)) == ((87, shape.present) if wanted is None else (0, wanted)), (
        f"asked for {asked}"
    )
    if wanted not in (None, shape.present):
        resize(volume, asked)  # twice is as good as once
        assert partition_size(volume) == wanted
        put_back(volume, shape.present)


@pytest.mark.parametrize("resize", [of_the_group, of_the_service], ids=lambda one: one.__name__)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_volume_grows_by_the_rule_at_every_boundary(node, shape, resize):
    volume = made(node, shape)
    node.operations().volume.format_volume(Context(), volume_id=volume.id)
    behind = [(p.offset, p.size) for p in node.storage.disks.partitions(volume.disk)][1:]
    for asked in boundaries(shape):
        check(volume, shape, resize, asked)
    assert [(p.offset, p.size) for p in node.storage.disks.partitions(volume.disk)][1:] == behind


def test_a_raw_volume_grows_by_the_same_rule(node):
    shape = SHAPES["aligned, another one behind"]
    volume = made(node, shape)
    for asked in boundaries(shape):
        check(volume, shape, of_the_group, asked)


@pytest.fixture(scope="module")
def roomy(tmp_path_factory) -> Iterator[tuple[Staged, Shape]]:
    node = EmulatedNode(tmp_path_factory.mktemp("roomy"))
    shape = Shape(with_gpt, 256 * MIB, (Slice(40 * 512, 20 * MIB + 512), Slice(200 * MIB, MIB)), 199 * MIB)
    yield made(node, shape), shape
    node.close()


@settings(max_examples=150)
@given(asked=st.integers(-1, 257 * MIB) | st.integers(0, 257).map(lambda n: n * MIB))
def test_any_size_is_judged_by_the_rule(roomy, asked):
    volume, shape = roomy
    check(volume, shape, of_the_group, asked)


@pytest.mark.parametrize("resize", [of_the_group, of_the_service], ids=lambda one: one.__name__)
def test_the_boundaries_move_with_the_disk(node, resize):
    """A cloud grows the disk: no rescan, and the new size counts at once."""
    volume = made(node, SHAPES["aligned, the rest is free"])
    for disk in (256 * MIB, 256 * MIB + 512, 257 * MIB - 512, 257 * MIB, 300 * MIB):
        node.machine.disks.grow(volume.disk, disk)
        with pytest.raises(CsiProxyError) as caught:
            resize(volume, disk + 1)
        assert caught.value.windows_code == 87
        resize(volume, disk)
        assert partition_size(volume) == disk // MIB * MIB - 2 * MIB
