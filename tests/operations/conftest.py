from collections.abc import Iterator

import pytest
from tests.conftest import demand_mounting
from tests.emulated import EmulatedNode

from csiproxy.emulator.volume import StoreKind

# What these promise must hold wherever the files of volumes are.
IN_BOTH_STORES = ("tests.operations.test_volume", "tests.operations.test_csi_proxy_service")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "node" in metafunc.fixturenames:
        stores = [StoreKind.DIRECTORY.value]
        if metafunc.module.__name__ in IN_BOTH_STORES:
            stores.append(pytest.param(StoreKind.IMAGE.value, marks=pytest.mark.mounts))
        metafunc.parametrize("node", stores, indirect=True)


@pytest.fixture
def node(tmp_path, request) -> Iterator[EmulatedNode]:
    kind = StoreKind(request.param)
    if kind is StoreKind.IMAGE:
        demand_mounting()
    node = EmulatedNode(tmp_path, kind)
    yield node
    node.close()
