import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

IN_MEMORY = "/dev/shm"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory in memory where there is one: a killed process loses nothing that it gave to the kernel.

    Its path leaves room for the name of a socket.
    """
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else "/tmp"
    path = tempfile.mkdtemp(prefix="cp-", dir=parent)
    yield Path(path)
    shutil.rmtree(path)
