import itertools
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from tests.conformance.running import PLUGINS, PODS, Running
from tests.conformance.wire import Api, compile_protos


@pytest.fixture(scope="session")
def apis(tmp_path_factory) -> dict[str, Api]:
    return compile_protos(tmp_path_factory.mktemp("protos"))


@pytest.fixture(scope="session")
def running(apis) -> Iterator[Running]:
    # Not pytest's own directory: the path of a socket has about 100 bytes.
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    running = Running(directory, apis)
    yield running
    running.close()
    shutil.rmtree(directory)


_numbers = itertools.count(1)


@pytest.fixture
def claim(running) -> "Claim":
    """Paths of a claim that no other test has; kubelet has made what it makes."""
    number = next(_numbers)
    claim = Claim(
        rf"{PLUGINS}\pv-{number}\globalmount", rf"{PODS}\uid-{number}\volumes\kubernetes.io~csi\pv\mount"
    )
    running.make(claim.staging.rpartition("\\")[0])
    running.make(claim.published.rpartition("\\")[0])
    return claim


class Claim:
    """Where a volume is staged, and where a pod sees it."""

    def __init__(self, staging: str, published: str) -> None:
        self.staging = staging
        self.published = published
        self.pod = published.rpartition("\\")[0]
