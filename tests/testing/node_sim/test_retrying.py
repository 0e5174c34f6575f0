import pytest
from tests.csi.identity import Identity, serving

from csiproxy.csi import address, v1_pb2
from csiproxy.csi.calling import Caller
from csiproxy.errors import InvalidArgument, Unavailable
from csiproxy.testing.node_sim.retrying import Backoff, NotRegistered, StepFailed, call, capability

FAST = Backoff(pace=0.001, seconds=30)
PROBE, READY = v1_pb2.ProbeRequest(), v1_pb2.ProbeResponse


class Moody(Identity):
    """Answers Probe after as many failures as are listed."""

    def __init__(self, *failures):
        super().__init__()
        self.failures = list(failures)

    def probe(self, request, call):
        if self.failures:
            raise self.failures.pop(0)
        return v1_pb2.ProbeResponse()


def dialling(path):
    return lambda: Caller(address.channel(str(path)), v1_pb2.DESCRIPTOR)


def test_what_fails_is_tried_until_it_works(short_directory):
    with serving(short_directory / "s", Moody(*[Unavailable("not now")] * 3)):
        _, done = call(dialling(short_directory / "s"), PROBE, READY, FAST)
    assert (done.rpc, done.tries, str(done)) == ("Probe", 4, "at try 4")


def test_what_can_never_be_is_not_tried_again(short_directory):
    with serving(short_directory / "s", Moody(InvalidArgument("never"), Unavailable("x"))):
        with pytest.raises(StepFailed, match="never"):
            call(dialling(short_directory / "s"), PROBE, READY, FAST)


def test_it_is_given_up_in_the_end(short_directory):
    with pytest.raises(StepFailed, match="UNAVAILABLE"):
        call(dialling(short_directory / "none"), PROBE, READY, Backoff(pace=0.001, seconds=0.05))


def test_a_driver_that_is_not_registered_yet_is_waited_for(short_directory):
    waits = [1, 2]

    def dial():
        if waits:
            waits.pop()
            raise NotRegistered("not yet")
        return dialling(short_directory / "s")()

    with serving(short_directory / "s", Moody()):
        assert call(dial, PROBE, READY, FAST)[1].tries == 3


def test_access_modes_are_csis():
    made = capability("ReadWriteOncePod", ("noatime",))
    assert made.access_mode.mode == v1_pb2.VolumeCapability.AccessMode.SINGLE_NODE_SINGLE_WRITER
    assert list(made.mount.mount_flags) == ["noatime"]
