"""A scenario is read as the faults it says, and nothing else is taken for one."""

import re
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import scenario
from csiproxy.emulator.faults import Action, Fault, When
from csiproxy.emulator.scenario import ScenarioError


def test_faults_are_read_in_their_order_with_their_defaults():
    text = """
        [[fault]]
        step = "MSFT_Disk.Initialize"
        action = "fail"
        code = 41002

        [[fault]]
        step = "set_mount_point"
        action = "slow"
        seconds = 2
        nth = 3
        when = "after"
    """
    assert scenario.parse(text) == (
        Fault("MSFT_Disk.Initialize", Action.FAIL, code=41002),
        Fault("set_mount_point", Action.SLOW, nth=3, when=When.AFTER, seconds=2.0),
    )


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("fault = [", "no TOML"),
        ("", "[[fault]]"),
        ("fault = 3", "[[fault]]"),
        ("fault = [3]", "is a table"),
        ("other = 1\n[[fault]]\nstep='x'\naction='hang'", "nothing else"),
        ("[[fault]]\nstep='x'", "None is no action"),
        ("[[fault]]\nstep='x'\naction='explode'", "one of fail, hang"),
        ("[[fault]]\nstep='x'\naction='fail'\ncode='5'", "code of a fault is of kind int"),
        ("[[fault]]\nstep='x'\naction='fail'\nnth=true", "nth of a fault is of kind int"),
        ("[[fault]]\nstep='x'\naction='fail'\nnth=0", "from 1"),
        ("[[fault]]\nstep='x'\naction='slow'\nseconds=nan", "86400"),
        ("[[fault]]\nstep='x'\naction='slow'", "needs them"),
        ("[[fault]]\nstep='x'\naction='fail'", "needs it"),
        ("[[fault]]\nstep='x'\naction='vanish'", "number of a disk"),
        ("[[fault]]\naction='hang'", "needs a step"),
        ("[[fault]]\nstep='x'\naction='fail'\nwhy='?'", "no why"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_one_is(text, hint):
    with pytest.raises(ScenarioError) as caught:
        scenario.parse(text)
    assert hint in str(caught.value)


@given(text=st.text(max_size=200))
def test_any_text_is_a_scenario_or_refused(text):
    with suppress(ScenarioError):
        scenario.parse(text)


PAGE = (Path(__file__).parents[2] / "docs" / "emulator-faults.md").read_text(encoding="utf-8")


def first_cells(head: str) -> list[str]:
    """The first column of the page's table whose head begins so."""
    table = PAGE.partition(f"| {head} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)


def test_the_page_about_faults_knows_every_action_and_key():
    assert first_cells("action") == [action.value for action in Action]
    assert set(first_cells("key")) == {field.name for field in fields(Fault)}


def test_the_scenario_on_the_page_can_be_loaded():
    [example] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(scenario.parse(example)) == 2
