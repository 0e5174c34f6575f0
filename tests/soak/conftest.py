"""Grounds for short soaks."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

IN_MEMORY = "/dev/shm"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose path leaves room for the name of a socket, in memory where there is such a place."""
    parent = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else "/tmp"
    path = tempfile.mkdtemp(prefix="cp-", dir=parent)
    yield Path(path)
    shutil.rmtree(path)
