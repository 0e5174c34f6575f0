"""The node's namespace is the same in its process, over its socket, and with faults."""

import inspect

import pytest

from csiproxy.emulator import wire
from csiproxy.emulator.faulty import FaultyNamespace
from csiproxy.emulator.namespace import MountedDirectory, NodeNamespace
from csiproxy.emulator.remote import RemoteNamespace
from csiproxy.emulator.reparse import Namespace
from csiproxy.emulator.wire import Reply

CALLS = [name for name in vars(NodeNamespace) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [Namespace, RemoteNamespace, FaultyNamespace])
@pytest.mark.parametrize("name", CALLS)
def test_every_implementation_takes_the_same_arguments(kind, name):
    promised = list(inspect.signature(getattr(NodeNamespace, name)).parameters)
    found = inspect.signature(getattr(kind, name)).parameters
    assert list(found)[: len(promised)] == promised
    # What goes beyond the promise has to be optional.
    assert all(found[extra].default is not inspect.Parameter.empty for extra in list(found)[len(promised) :])


def test_a_mounted_directory_crosses_the_socket():
    mounted = MountedDirectory("/images/x", 7, 1 << 63)
    assert wire.decode(wire.encode(Reply(mounted))) == Reply(mounted)
