import fcntl
import itertools
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from tests import leaks
from tests.conformance.go_client import GoClient, GoProgram, build
from tests.conformance.running import PLUGINS, PODS, Running
from tests.conformance.wire import Api, Client, compile_protos
from tests.conftest import demand_mounting, find_foreign


@pytest.fixture(scope="session")
def apis(tmp_path_factory) -> dict[str, Api]:
    return compile_protos(tmp_path_factory.mktemp("protos"))


# What these promise must hold wherever the files of volumes are.
IN_BOTH_STORES = (
    "tests.conformance.test_volume",
    "tests.conformance.test_drivers",
    "tests.conformance.test_iscsi",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "running" not in metafunc.fixturenames:
        return
    kinds = ["grpcio", pytest.param("grpc-go", marks=pytest.mark.foreign)]
    if metafunc.module.__name__ in IN_BOTH_STORES:
        kinds.append(pytest.param("volumes-in-images", marks=pytest.mark.mounts))
    metafunc.parametrize("running", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def running(apis, request) -> Iterator[Running]:
    """A node and its proxy, called by one client or the other."""
    connect = Client
    store = "image" if request.param == "volumes-in-images" else "directory"
    if store == "image":
        demand_mounting()
    if request.param == "grpc-go":
        program = request.getfixturevalue("go_program")
        connect = lambda api, endpoints: GoClient(api, endpoints, program)  # noqa: E731
    # Not pytest's own directory: the path of a socket has about 100 bytes.
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    running = Running(directory, apis, connect, store)
    yield running
    running.close()
    leaks.search(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def go_program(tmp_path_factory, worker_id) -> Iterator[GoProgram]:
    """The Go client, built once for all workers."""
    shared = (
        tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    )
    directory = shared / "go-client"
    with open(shared / "go-client.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            go, generator = find_foreign("go"), find_foreign("protoc-gen-go")
            building = shared / "go-client.building"
            shutil.rmtree(building, ignore_errors=True)
            build(building, go, generator)
            building.rename(directory)
    program = GoProgram(directory / "go-client")
    yield program
    program.close()


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
