import io

import pytest

from csiproxy.csi import pluginregistration_pb2 as wire
from csiproxy.node.registrar.registration import Registration
from csiproxy.rpc.call import Call
from csiproxy.rpc.stream import Peer

CALL = Call("e", "m", b"", Peer(None, None))


@pytest.fixture
def heard():
    return []


@pytest.fixture
def registration(heard):
    return Registration("disk.csi.example", r"C:\x\csi.sock", lambda: heard.append("refused"), io.StringIO())


def test_kubelet_learns_the_driver_and_its_socket_as_given(registration):
    info = registration.get_info(wire.InfoRequest(), CALL)
    assert (info.type, info.name, info.endpoint) == ("CSIPlugin", "disk.csi.example", r"C:\x\csi.sock")
    assert list(info.supported_versions) == ["1.0.0"]


def test_only_a_refusal_ends_the_program(registration, heard):
    registration.notify_registration_status(wire.RegistrationStatus(plugin_registered=True), CALL)
    assert heard == []
    registration.notify_registration_status(wire.RegistrationStatus(error="no"), CALL)
    assert heard == ["refused"]
