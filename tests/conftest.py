"""What every test may use."""

import ctypes
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import settings
from tests import leaks

if TYPE_CHECKING:  # what only Linux has is imported where it is used: these fixtures serve Windows, too
    from tests.iscsi_target import TargetServer
    from tests.samba import Samba
    from tools.wine.prefix import Prefix

# A shell that starts the tests in the background has them, and what they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A shared machine is sometimes slow; that is no failure of what is tested.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def find_foreign(program: str) -> str:
    """Find a program of another project; absent: skip on a laptop, fail under CI=true."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin")
    return path or do_without(f"{program} is not installed (make system-packages installs it)")


def find_library(name: str) -> str:
    """Find a shared library of another project; absent: skip on a laptop, fail under CI=true."""
    try:
        ctypes.CDLL(name)
    except OSError:
        do_without(f"{name} is not installed (make system-packages installs it)")
    return name


def do_without(reason: str) -> NoReturn:
    """Skip a test that wants what is not here, on a laptop; fail it under CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On Windows collect what is for Windows alone; the rest wants what only Linux has."""
    if sys.platform != "win32":
        return None
    modules = collection_path.rglob("test_*.py") if collection_path.is_dir() else [collection_path]
    return not any("pytest.mark.windows" in module.read_text(encoding="utf-8") for module in modules) or None


@pytest.fixture
def foreign() -> Callable[[str], str]:
    """See :func:`find_foreign`."""
    return find_foreign


@pytest.fixture
def target_server(tmp_path: Path) -> Iterator["TargetServer"]:
    """A real iSCSI target, and an initiator's library to reach it with."""
    from tests.iscsi_target import TargetServer

    find_library("libiscsi.so.7")
    server = TargetServer(tmp_path / "target", find_foreign)
    yield server
    server.close()


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose path leaves room for the name of a socket (pytest's own are too long for that)."""
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    yield Path(directory)
    shutil.rmtree(directory)


def pytest_configure(config: pytest.Config) -> None:
    leaks.configure(config)


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Passwords; what the test has written below its directory is searched for them."""
    yield leaks.draw
    leaks.search(tmp_path)


def require_smb() -> None:
    """Skip where the test's host cannot have an SMB server, fail there under CI=true."""
    if os.geteuid() == 0:
        return
    do_without("Samba checks passwords for root only")


@pytest.fixture(scope="session")
def samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Samba"]:
    """An SMB server that this worker's tests share."""
    from tests.samba import Samba

    require_smb()
    server = Samba(tmp_path_factory.mktemp("samba"), find_foreign)
    yield server
    server.close()


@pytest.fixture(scope="session")
def plain_samba(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Samba"]:
    """An SMB server that cannot encrypt."""
    from tests.samba import Samba

    require_smb()
    server = Samba(tmp_path_factory.mktemp("plain-samba"), find_foreign, encrypt="off")
    yield server
    server.close()


def mounting_needs() -> list[str]:
    """What is missing here to mount real file systems."""
    if sys.platform != "linux":
        return ["Linux"]
    from csiproxy.emulator.image_store import requirements

    return requirements.missing()


def demand_mounting() -> None:
    """Real file systems can be mounted here; where not: skip on a laptop, fail under CI=true."""
    if missing := mounting_needs():
        reason = f"file systems in images need {'; '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture
def mounting() -> None:
    """See :func:`demand_mounting`."""
    demand_mounting()


@contextmanager
def windows_of_its_own(directory: Path) -> Iterator["Prefix"]:
    """A Windows below a directory; where Wine is not prepared: skip on a laptop, fail under CI=true."""
    from tools.wine.prefix import Prefix
    from tools.wine.prepare import bed

    if not bed().ready:
        do_without("Wine is not prepared (make wine prepares it)")
    with Prefix(bed(), directory / "prefix") as prefix:
        yield prefix


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Prefix"]:
    """A Windows of this test worker's own: see :class:`tools.wine.prefix.Prefix`."""
    with windows_of_its_own(tmp_path_factory.mktemp("wine")) as prefix:
        yield prefix
