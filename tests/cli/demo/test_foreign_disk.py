import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from csiproxy.cli.demo.foreign_disk import DISK_BYTES, TABLE, table_checksum, write_foreign_disk


def test_the_image_is_sparse_and_has_its_size(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    write_foreign_disk(str(image))
    found = image.stat()
    assert found.st_size == DISK_BYTES
    assert found.st_blocks * 512 < DISK_BYTES // 100


def test_an_image_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    image.write_text("mine")
    with pytest.raises(FileExistsError):
        write_foreign_disk(str(image))
    assert image.read_text() == "mine"


@pytest.mark.parametrize("at", [0, 600, 33 * 512, DISK_BYTES - 1, DISK_BYTES - 33 * 512])
def test_a_change_anywhere_in_the_table_changes_the_checksum(at: int, tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    write_foreign_disk(str(image))
    before = table_checksum(str(image))
    with image.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))
    assert table_checksum(str(image)) != before


@pytest.mark.foreign
def test_sgdisk_finds_its_own_table_whole(foreign: Callable[[str], str], tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    write_foreign_disk(str(image))
    done = subprocess.run(
        [foreign("sgdisk"), "--verify", image], stdout=subprocess.PIPE, check=True, text=True
    )
    assert "No problems found" in done.stdout


@pytest.mark.foreign
def test_the_stored_table_is_what_the_tool_makes(foreign: Callable[[str], str], tmp_path: Path) -> None:
    from tools.make_demo_disk import make

    made, stored = tmp_path / "table.z", tmp_path / "stored.img"
    make(foreign("sgdisk"), made)
    write_foreign_disk(str(stored))
    assert os.path.getsize(TABLE) < 1024
    assert made.read_bytes() == TABLE.read_bytes()
