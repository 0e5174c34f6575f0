"""What every test may use."""

import ctypes
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings
from tests.iscsi_target import TargetServer

# A shared machine is sometimes slow; that is no failure of what is tested.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def find_foreign(program: str) -> str:
    """Find a program of another project; absent: skip on a laptop, fail under CI=true."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin")
    if path:
        return path
    return _absent(program)


def find_library(name: str) -> str:
    """Find a shared library of another project; absent: skip on a laptop, fail under CI=true."""
    try:
        ctypes.CDLL(name)
    except OSError:
        _absent(name)
    return name


def _absent(name: str) -> NoReturn:
    reason = f"{name} is not installed (make system-packages installs it)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def foreign() -> Callable[[str], str]:
    """See :func:`find_foreign`."""
    return find_foreign


@pytest.fixture
def target_server(tmp_path: Path) -> Iterator[TargetServer]:
    """A real iSCSI target, and an initiator's library to reach it with."""
    find_library("libiscsi.so.7")
    server = TargetServer(tmp_path / "target", find_foreign)
    yield server
    server.close()
