"""Every transport has what callers ask of one."""

import inspect

import pytest

from csiproxy.client.transport import Transport
from csiproxy.client.wire import Wire
from csiproxy.in_process import InProcess


@pytest.mark.parametrize("kind", [Wire, InProcess])
@pytest.mark.parametrize("name", ["reaches", "call", "close"])
def test_a_transport_has_the_methods_with_the_same_parameters(kind, name):
    wanted = inspect.signature(getattr(Transport, name)).parameters
    assert list(inspect.signature(getattr(kind, name)).parameters) == list(wanted)
