from collections.abc import Iterator

import pytest
from tests.emulated import EmulatedNode


@pytest.fixture
def node(tmp_path) -> Iterator[EmulatedNode]:
    node = EmulatedNode(tmp_path)
    yield node
    node.close()
