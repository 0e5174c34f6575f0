"""FUSE on this host: what is missing is named, and what is not mounted needs no unmounting."""

import os
import subprocess
import sys

import pytest

from csiproxy.emulator import fuse


@pytest.mark.foreign
def test_the_library_is_there_where_its_packages_are(foreign):
    foreign("fusermount3")
    assert fuse.library("smb").__name__ == "FUSE"


def test_without_mfusepy_the_extra_that_brings_it_is_named(tmp_path):
    (tmp_path / "mfusepy.py").write_text("raise ImportError")
    program = (
        "from csiproxy.emulator import fuse\n"
        "try: fuse.library('iscsi')\n"
        "except fuse.CannotMount as error: print(error)"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert "csi-proxy[iscsi]" in done.stdout, done


def test_nothing_to_unmount_is_fine(tmp_path):
    fuse.unmount(str(tmp_path))
    fuse.unmount(str(tmp_path / "nothing"))
