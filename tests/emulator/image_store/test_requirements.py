"""What is missing is named, all of it, with what to do."""

import subprocess
import sys

import pytest

from csiproxy.emulator.image_store import requirements
from csiproxy.emulator.image_store.drivers import DRIVERS

pytestmark = pytest.mark.mounts


def test_every_program_has_its_package():
    known = {name for names in requirements.PACKAGES.values() for name in names}
    assert known == {program for driver in DRIVERS.values() for program in driver.programs} | {"setpriv"}


def test_where_everything_is_there_nothing_is_missing():
    assert requirements.missing() == []
    requirements.demand()


NO_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


def test_a_node_that_may_not_mount_does_not_start(tmp_path):
    node = (sys.executable, "-m", "csiproxy.emulator.node", "--state", str(tmp_path / "node"))
    done = subprocess.run([*NO_CAPABILITIES, *node, "--volumes", "image"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "--volumes image needs the right to mount" in done.stderr
    assert "--volumes directory needs nothing" in done.stderr


def test_all_that_a_user_lacks_is_said_at_once():
    script = "from csiproxy.emulator.image_store import requirements; requirements.demand()"
    user = (*NO_CAPABILITIES, "--reuid", "65534", "--clear-groups")
    done = subprocess.run([*user, sys.executable, "-c", script], capture_output=True, text=True)
    for text in ("the right to mount", "/dev/fuse", "/dev/loop-control"):
        assert text in done.stderr.splitlines()[-1]


def test_missing_programs_are_named_with_their_packages():
    script = (
        "from csiproxy.emulator.image_store import programs, requirements;"
        "programs.SEARCH = ''; requirements.demand()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "mkntfs (apt-get install ntfs-3g)" in done.stderr
    assert "mount.exfat-fuse (apt-get install exfat-fuse)" in done.stderr
