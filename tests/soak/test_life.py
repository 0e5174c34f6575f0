"""A life tells every promise that was broken to its pod."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.emulated import MIB
from tests.soak.drivers import DiskDriver
from tests.soak.ground import Ground
from tests.soak.kubelet import Violation
from tests.soak.life import Pod
from tests.soak.plan import File, Life, Store
from tests.soak.run import Plan, replay
from tests.soak.volumes import CloudDisk

LIFE = Life(
    number=1,
    store=Store.DIRECTORY,
    driver="v1",
    size=64 * MIB,
    files=(File("f", 5000, "1"), File("d/g", 100, "2")),
    grows=True,
    moves=True,
    lun=False,
    troubles=(),
)


@pytest.fixture
def ground(directory):
    opened = Ground(directory, Store.DIRECTORY, 1, str)
    yield opened
    opened.close()


class Robbed(CloudDisk):
    """A disk to which something is done while nobody has it."""

    harm: Callable[[Path], None]

    def depart(self) -> None:
        super().depart()
        self.harm(self._image)


def file_of(image: Path, name: str) -> Path:
    [found] = [path / name for path in Path(f"{image}.d").iterdir()]
    return found


def flip(image: Path) -> None:
    path = file_of(image, "f")
    content = path.read_bytes()
    path.write_bytes(bytes([content[0] ^ 1]) + content[1:])


def tear_table(image: Path) -> None:
    with open(image, "r+b") as file:
        file.seek(-512, os.SEEK_END)
        file.write(bytes(512))


def forget_format(image: Path) -> None:
    """The first megabytes of the data partition, which begins at 16 MiB, and with them its file system."""
    with open(image, "r+b") as file:
        file.seek(16 * MIB)
        file.write(bytes(MIB))


def live(ground: Ground, harm: Callable[[Path], None], life: Life = LIFE) -> None:
    volume = Robbed(life, ground)
    volume.harm = harm
    client = ground.client()
    try:
        Pod(life, ground, volume, client, threading.Event()).live()
    finally:
        client.close()


def test_a_life_to_which_nothing_is_done_leaves_nothing(ground):
    live(ground, lambda image: None)
    assert not (ground.directory / "1.img").exists()
    assert not (ground.directory / "1.img.d").exists()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (flip, "f has 5000 bytes, and not the 5000 that were written"),
        (lambda image: file_of(image, "d/g").unlink(), "d/g is lost"),
        (lambda image: (file_of(image, "stray")).touch(), "stray is there, and nobody wrote it"),
        (tear_table, "after it was detached: 1.img: "),
        (forget_format, "f is lost"),
    ],
)
def test_what_is_taken_from_a_disk_is_told(ground, harm, told):
    with pytest.raises(Violation) as caught:
        live(ground, harm)
    assert told in str(caught.value)


class Careless(DiskDriver):
    """A driver that says that it has done what it has not."""

    def publish(self) -> None:
        self._do("filesystem", "Mkdir", path=self._published)


class Pretending(CloudDisk):
    """A disk whose driver forgets to link."""

    def driver(self, client, staging, published):
        made = super().driver(client, staging, published)
        made.__class__ = Careless
        return made


def test_a_pods_path_that_leads_nowhere_is_told(ground):
    client = ground.client()
    with pytest.raises(Violation, match="does not lead to what is staged"):
        Pod(LIFE, ground, Pretending(LIFE, ground), client, threading.Event()).live()
    client.close()


def test_the_command_that_lives_a_life_again_names_its_stretch_when_others_matter():
    plan = Plan(Store.SMB, 400, 7, 5, first=50, stretch=100)
    assert replay(plan, 260, alone=True).endswith(
        "--store smb --seed 7 --first 260 --lives 1 --tail 0 --workers 1 --kill-every 50"
    )
    assert replay(plan, 260, alone=False).endswith(
        "--store smb --seed 7 --first 250 --lives 11 --tail 0 --workers 5 --kill-every 50"
    )
    assert replay(plan, 450, alone=True).endswith("--kill-every 0")
