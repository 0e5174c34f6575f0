"""The process that mounts a share: its orders, its answers, its end."""

import json
import os
import subprocess
import sys

import pytest
from tests.samba import HOST, USER

from csiproxy.emulator import fuse, smb_mount
from csiproxy.emulator.smb_mount import FAILED, READY

pytestmark = pytest.mark.foreign


class Process:
    """One such process, from its orders on."""

    def __init__(self, directory: str, orders: dict) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", smb_mount.__name__, directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.process.stdin.write(json.dumps(orders).encode() + b"\n")
        self.process.stdin.flush()
        self.answer = self.process.stdout.readline().decode().strip()

    def end(self) -> int:
        """Close its orders; how it ended, having said nothing more."""
        out, err = self.process.communicate()
        assert (out, err) == (b"", b"")
        return self.process.returncode


@pytest.fixture
def orders(samba, foreign) -> dict:
    foreign("fusermount3")
    user = samba.user()
    samba.share()
    return {
        "host": HOST,
        "port": samba.port,
        "share": "data",
        "user": user,
        "password": samba.passwords[USER],
        "privacy": True,
    }


def test_it_answers_when_the_files_are_there_and_ends_with_its_orders(orders, samba, tmp_path):
    (samba.share() / "seen").write_text("1")
    one = Process(str(tmp_path), orders)
    assert one.answer == READY
    assert "seen" in os.listdir(tmp_path / "files")
    assert one.end() == 0
    assert os.listdir(tmp_path) == []


def test_programs_use_the_files_like_any_others(orders, samba, tmp_path):
    one = Process(str(tmp_path), orders)
    there, here = tmp_path / "files" / "programs", samba.share() / "programs"
    there.mkdir()
    for command in (
        "seq 1000 > numbers",
        "sed -i s/5/five/g numbers",
        "cp numbers copy && mv copy moved && cmp numbers moved",
        "tar cf all.tar numbers moved && tar tf all.tar",
        "echo more >> numbers",
        "dd if=/dev/zero of=hole bs=1 count=1 seek=100000 status=none",
        'touch -d 2001-02-03 moved && test -n "$(find moved -not -newermt 2001-02-04)"',
        "rm all.tar && mkdir -p a/b && rm -r a",
    ):
        subprocess.run(command, shell=True, check=True, cwd=there)
    assert {path.name for path in here.iterdir()} == {"numbers", "moved", "hole"}
    assert (here / "numbers").read_text().endswith("999\nfive00\nmore\n".replace("five00", "1000"))
    assert (here / "hole").stat().st_size == 100001
    one.end()


def test_a_file_that_is_removed_while_it_is_open_can_still_be_read(orders, tmp_path):
    one = Process(str(tmp_path), orders)
    path = tmp_path / "files" / "open"
    path.write_text("still")
    with path.open() as file:
        path.unlink()
        assert not path.exists()
        assert file.read() == "still"
    one.end()


def test_a_password_that_is_refused_by_now_is_told_without_it(orders, tmp_path, secret):
    orders["password"] = secret()
    one = Process(str(tmp_path), orders)
    assert one.answer.startswith(f"{FAILED} the server does not take a second session")
    assert one.end() == 1


def test_another_mount_at_its_place_is_left_alone(orders, tmp_path):
    first = Process(str(tmp_path), orders)
    used = os.open(tmp_path / "files", os.O_RDONLY)  # so that it goes on when its mount has been taken away
    fuse.unmount(str(tmp_path))
    second = Process(str(tmp_path), orders)  # as the next node has it
    assert (first.answer, second.answer) == (READY, READY)
    assert first.end() == 0
    assert os.path.isdir(tmp_path / "files")
    assert second.end() == 0
    os.close(used)
    assert os.listdir(tmp_path) == []
