"""Listening at a pipe: who may have a name, and clients that come together."""

import errno
import sys

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

from tests.rpc.pipes import listener, pipe_name, polled, wait_for

from csiproxy.rpc.pipe import connect
from csiproxy.rpc.pipe_listener import PipeListener, SecurityDescriptor, probe
from csiproxy.rpc.stream import EndpointInUse, EndpointUntrusted

pytestmark = pytest.mark.windows


def test_a_name_that_is_served_is_left_alone() -> None:
    pipe = pipe_name()
    first = listener(pipe)
    with polled() as poller:
        poller.add(first, "first")
        with pytest.raises(EndpointInUse) as refused:
            listener(pipe)
        assert not isinstance(refused.value, EndpointUntrusted)  # it is ours, an administrator's
        first.close()
    probe(pipe)
    listener(pipe).close()


def test_a_crowd_finds_room_at_once_and_everybody_is_served() -> None:
    pipe = pipe_name()
    listening = listener(pipe, waiting=8)
    with polled() as poller:
        poller.add(listening, "listener")
        clients = []
        served = []
        for _ in range(10):
            clients += [connect(pipe) for _ in range(5)]  # nobody accepts meanwhile
            while len(served) < len(clients):
                wait_for(poller, "listener")
                try:
                    served.append(listening.accept())
                except BlockingIOError:
                    continue
        assert len(served) == 50
        listening.close()
        for end in (*clients, *served):
            end.close()


def test_after_a_crowd_more_wait() -> None:
    pipe = pipe_name()
    listening = listener(pipe, waiting=2)
    with polled() as poller:
        poller.add(listening, "listener")
        clients = [connect(pipe), connect(pipe)]
        wait_for(poller, "listener")
        wait_for(poller, "listener")
        served = [listening.accept(), listening.accept()]
        clients += [connect(pipe) for _ in range(4)]  # nobody accepts meanwhile
        listening.close()
        for end in (*clients, *served):
            end.close()


def test_a_client_that_went_before_it_was_accepted_is_passed_over() -> None:
    pipe = pipe_name()
    listening = listener(pipe, waiting=2)
    with polled() as poller:
        poller.add(listening, "listener")
        connect(pipe).close()
        staying = connect(pipe)
        staying.send(b"here")
        heard = []
        while b"here" not in heard:
            event = poller.wait(10)
            assert event is not None
            if event[0] == "listener":
                try:
                    stream = listening.accept()
                except BlockingIOError:
                    continue
                heard_by = stream
                poller.add(stream, "stream")
            else:
                try:
                    heard.append(heard_by.receive(10))
                except BlockingIOError:
                    continue
        listening.close()
        staying.close()


def test_clients_are_kept_while_they_are_not_asked_for() -> None:
    pipe = pipe_name()
    listening = listener(pipe, waiting=2)
    with polled() as poller:
        poller.add(listening, "listener")
        poller.watch(listening, read=False, write=False)
        client = connect(pipe)
        assert poller.wait(0.05) is None
        poller.watch(listening, read=True, write=False)
        wait_for(poller, "listener")
        listening.accept().close()
        client.close()
        listening.close()


def test_a_closed_listener_gives_its_name_back_and_accepts_nobody() -> None:
    pipe = pipe_name()
    listening = listener(pipe)
    listening.close()
    listening.close()
    with pytest.raises(OSError) as refused:
        listening.accept()
    assert refused.value.errno == errno.EBADF
    with pytest.raises(FileNotFoundError):
        connect(pipe)


def test_a_text_that_is_no_security_descriptor_is_refused() -> None:
    with pytest.raises(ValueError, match="no security descriptor"):
        SecurityDescriptor("everybody")


def test_an_operators_security_descriptor_is_the_pipes() -> None:
    import win32security

    pipe = pipe_name()
    sddl = "D:P(A;;GA;;;SY)(A;;GA;;;S-1-5-93-2-2)"
    listening = PipeListener(pipe, "test", SecurityDescriptor(sddl))
    with polled() as poller:
        poller.add(listening, "listener")
        client = connect(pipe)
        assert client._handle is not None
        found = win32security.GetSecurityInfo(client._handle, 6, 4)
        text = win32security.ConvertSecurityDescriptorToStringSecurityDescriptor(found, 1, 4)
        assert text == sddl
        client.close()
        listening.close()
