"""Each refusal is of its own kind, and a limit says how an operator raises it."""

from csiproxy.errors import Code
from csiproxy.rpc import refusals
from csiproxy.rpc.status import RpcError

ALL = [value for value in vars(refusals).values() if isinstance(value, RpcError)]


def test_no_two_refusals_say_the_same() -> None:
    assert len(ALL) >= 7
    assert len({refusal.message for refusal in ALL}) == len(ALL)


def test_a_limit_of_callers_names_its_rail_and_its_flag() -> None:
    limits = [refusal for refusal in ALL if refusal.rail]
    assert {refusal.rail for refusal in limits} == {"caller-calls", "caller-rate"}
    for refusal in limits:
        assert refusal.code is Code.RESOURCE_EXHAUSTED
        assert f"--{refusal.rail}" in refusal.message
