"""What tests that start Windows programs may use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # a Windows Python, which looks for its own tests here, has nothing of what starts one
    from tests.emulator.entered import Entered


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Entered"]:
    """An emulated node that Windows programs can enter, for a module's tests."""
    from tests.wine.serving import node

    with node(tmp_path_factory.mktemp("node")) as found:
        yield found
