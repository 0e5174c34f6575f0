"""A disk that another tool partitioned: sgdisk's table, stored without the empty sectors between.

``tools/make_demo_disk.py`` made the file, and says how.
"""

import os
import zlib
from hashlib import sha256
from pathlib import Path

TABLE = Path(__file__).parent / "sgdisk-table.z"
DISK_BYTES = 64 << 20
SECTOR = 512
FIRST_BYTES, LAST_BYTES = 34 * SECTOR, 33 * SECTOR
"""What GPT uses of a disk: protective MBR, header and entries; entries and header again."""


def write_foreign_disk(path: str) -> None:
    """Make the image, sparse, with the stored table at both ends."""
    table = zlib.decompress(TABLE.read_bytes())
    with open(path, "xb") as image:
        image.write(table[:FIRST_BYTES])
        os.truncate(image.fileno(), DISK_BYTES)
        image.seek(DISK_BYTES - LAST_BYTES)
        image.write(table[FIRST_BYTES:])


def table_checksum(path: str) -> str:
    """Return the SHA-256 of what GPT uses of an image, to see whether anybody has changed it."""
    with open(path, "rb") as image:
        digest = sha256(image.read(FIRST_BYTES))
        image.seek(-LAST_BYTES, os.SEEK_END)
        digest.update(image.read(LAST_BYTES))
    return digest.hexdigest()
