"""A call described once is performed by a synchronous and an asynchronous group, with its own signature."""

import asyncio
import inspect

from csiproxy.client.call import Asynchronous, Call, Rpc, Synchronous, nothing


class TapeCalls:
    """Calls of an invented group."""

    @Rpc
    def wind(self, turns: int, *, back: bool = False) -> Call[int]:
        """Wind a tape."""
        return Call("tape", "Wind", len, {"turns": turns, "back": back})


class Tape(TapeCalls, Synchronous):
    """A tape."""


class AsyncTape(TapeCalls, Asynchronous):
    """A tape, for asyncio."""


def test_a_synchronous_group_gives_what_performing_gives():
    seen = []
    tape = Tape(lambda call: seen.append(call) or 7)
    assert tape.wind(3, back=True) == 7
    assert (seen[0].rpc, seen[0].fields) == ("Wind", {"turns": 3, "back": True})


def test_an_asynchronous_group_gives_a_coroutine_of_it():
    async def perform(call):
        return call.fields["turns"]

    async def wind():
        coroutine = AsyncTape(perform).wind(4)
        assert inspect.iscoroutine(coroutine)
        return await coroutine

    assert asyncio.run(wind()) == 4


def test_methods_have_the_documentation_and_parameters_of_their_description():
    tape = Tape(lambda call: call)
    assert tape.wind.__doc__ == "Wind a tape."
    assert tape.wind.__name__ == "wind"
    assert list(inspect.signature(tape.wind).parameters) == ["self", "turns", "back"]
    assert TapeCalls.wind.__doc__ == "Wind a tape."


def test_two_groups_do_not_share_what_performs_their_calls():
    one, other = Tape(lambda _: "one"), Tape(lambda _: "other")
    assert (one.wind(1), other.wind(1), one.wind(1)) == ("one", "other", "one")


def test_a_call_that_is_printed_does_not_tell_its_fields():
    assert "hidden" not in repr(Call("smb", "New", nothing, {"password": "hidden"}))
