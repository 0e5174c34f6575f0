"""Build the wheel twice, from two copies of what is in version control, and see that both are the same.

    python -m tools.wheel

The time in it is that of the last commit (SOURCE_DATE_EPOCH, https://reproducible-builds.org/specs/source-date-epoch/),
so whoever builds the same commit with the locked build backend gets the same bytes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"


def main() -> int:
    epoch = commit_time(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        built = [build(ROOT, Path(scratch, str(turn)), epoch) for turn in range(2)]
        if built[0].read_bytes() != built[1].read_bytes():
            sys.stderr.write("two builds of the same source differ\n")
            return 1
        DIST.mkdir(exist_ok=True)
        kept = shutil.copy(built[0], DIST)
    digest = sha256(Path(kept).read_bytes()).hexdigest()
    print(f"{digest}  {kept}")
    return 0


def commit_time(root: Path) -> str:
    """When the last commit was made, in seconds; what the environment says goes before."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return epoch
    command = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def build(root: Path, scratch: Path, epoch: str) -> Path:
    """Build the wheel of what is in version control, as it is in the working copy."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
    source = scratch / "source"
    for name in filter(None, os.fsdecode(tracked).split("\0")):
        if (root / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, source / name)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(scratch / "dist")]
    subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
    (wheel,) = (scratch / "dist").iterdir()
    return wheel


if __name__ == "__main__":
    sys.exit(main())
