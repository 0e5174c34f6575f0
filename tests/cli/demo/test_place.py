import os
import shutil
import subprocess
import sys
from pathlib import Path

from csiproxy.cli.demo.place import LONGEST_PLACE

PROGRAM = "from csiproxy.cli.demo.place import make_directory; print(make_directory('csi-proxy-test-'))"


def test_a_place_is_short_whatever_the_environment_says(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    made = done.stdout.strip()
    assert len(os.path.dirname(made)) <= LONGEST_PLACE
    assert os.stat(made).st_mode & 0o77 == 0
    shutil.rmtree(made)
