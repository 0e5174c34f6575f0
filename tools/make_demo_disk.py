"""Make the partition table of the demo's second disk anew, with sgdisk (package gdisk).

The demo shows that a disk which another tool partitioned is understood and left alone, so no table of our
own would do.  Only the sectors that GPT uses are kept, compressed: the first 34 (protective MBR, header,
entries) and the last 33 (entries, header) of a disk of 64 MiB.  All identifiers are given, so every run
writes the same bytes.

    .venv/bin/python tools/make_demo_disk.py [OUTPUT]
"""

import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from csiproxy.cli.demo.foreign_disk import DISK_BYTES, FIRST_BYTES, LAST_BYTES, TABLE

PARTITIONS = (
    ("1:2048:+40M", "data", "6d1f3e5a-7c0b-4b52-9a34-2f8f0f6b1c01"),
    ("2:0:0", "logs", "6d1f3e5a-7c0b-4b52-9a34-2f8f0f6b1c02"),
)
DISK_GUID = "6d1f3e5a-7c0b-4b52-9a34-2f8f0f6b1c00"


def make(sgdisk: str, output: Path) -> None:
    """Let sgdisk partition an empty image and store the table's sectors in ``output``."""
    with tempfile.TemporaryDirectory() as directory:
        image = Path(directory) / "disk.img"
        image.touch()
        os.truncate(image, DISK_BYTES)
        arguments = ["--clear", f"--disk-guid={DISK_GUID}"]
        for new, name, guid in PARTITIONS:
            number = new.partition(":")[0]
            arguments += [f"--new={new}", f"--typecode={number}:0700", f"--change-name={number}:{name}"]
            arguments += [f"--partition-guid={number}:{guid}"]
        subprocess.run([sgdisk, *arguments, image], check=True, stdout=subprocess.DEVNULL)
        data = image.read_bytes()
    output.write_bytes(zlib.compress(data[:FIRST_BYTES] + data[-LAST_BYTES:], 9))


if __name__ == "__main__":
    make("sgdisk", Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE)
