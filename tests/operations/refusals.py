"""How a refusal is stated in a test: the class says what to do about it, the code what Windows calls it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from csiproxy.errors import CsiProxyError


@contextmanager
def refused(error: type[CsiProxyError], windows_code: int) -> Iterator[None]:
    """The block raises exactly this class with this code, and a sentence."""
    with pytest.raises(error) as caught:
        yield
    assert (type(caught.value), caught.value.windows_code) == (error, windows_code), caught.value
    assert str(caught.value)
