import pytest

from csiproxy.cli.demo.node import Node
from csiproxy.cli.demo.player import CheckFailed, Player, StepFailed, require
from csiproxy.cli.demo.screen import Screen


@pytest.fixture
def player() -> Player:
    return Player(Screen(plain=True))


def test_a_step_is_done_judged_and_shown(player: Player, capsys: pytest.CaptureFixture[str]) -> None:
    assert player.step("add", lambda: 1 + 1, lambda sum_: f"it is {sum_}") == 2
    assert capsys.readouterr().out.startswith("OK      add: it is 2  [")
    assert (player.steps, player.calls) == (1, 0)


def test_a_step_that_raises_ends_the_play(player: Player, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise FileNotFoundError(2, "No such file", "x")

    with pytest.raises(StepFailed, match=r"open: .*No such file"):
        player.step("open", fail, lambda _: "opened")
    assert capsys.readouterr().out.startswith("FAILED  open: ")
    assert player.steps == 0


def test_an_outcome_that_is_not_as_it_should_be_ends_the_play(player: Player) -> None:
    def judge(number: int) -> str:
        require(number == 3, f"{number} is not 3")
        return "three"

    assert player.step("count", lambda: 3, judge) == 3
    with pytest.raises(StepFailed, match="count: 4 is not 3"):
        player.step("count", lambda: 4, judge)


def test_a_fault_of_the_demo_itself_is_not_taken_for_an_outcome(player: Player) -> None:
    with pytest.raises(ZeroDivisionError):
        player.step("divide", lambda: 1 // 0, str)


def test_a_condition_that_does_not_hold_is_a_failed_check() -> None:
    require(True, "never")
    with pytest.raises(CheckFailed, match="so it is"):
        require(False, "so it is")


def test_a_call_goes_to_the_proxy_and_counts(
    player: Player, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    player.call(
        node.client, "disk/v1", "GetDiskStats", lambda reply: str(reply.number("total_bytes")), disk_number=1
    )
    assert capsys.readouterr().out.startswith(f"OK      disk/v1 GetDiskStats: {64 << 20}  [")
    assert (player.steps, player.calls) == (1, 1)
    with pytest.raises(StepFailed, match="there is no disk 9"):
        player.call(node.client, "disk/v1", "GetDiskStats", lambda _: "", disk_number=9)
    assert player.calls == 1
