from collections.abc import Iterator

import pytest
from tests.concurrency.serving import Serving
from tests.crash.conftest import directory

__all__ = ["directory", "serving"]


@pytest.fixture
def serving(directory) -> Iterator[Serving]:
    """A node and a proxy in this process, on real sockets."""
    running = Serving(directory)
    yield running
    running.close()
