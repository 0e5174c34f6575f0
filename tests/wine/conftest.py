"""What tests that start Windows programs may use."""

from collections.abc import Iterator

import pytest
from tests.emulator.entered import Entered
from tests.wine.serving import node


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entered]:
    """An emulated node that Windows programs can enter, for a module's tests."""
    with node(tmp_path_factory.mktemp("node")) as found:
        yield found
