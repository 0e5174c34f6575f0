"""A secret is not seen by accident."""

import copy
import pickle
import traceback

import pytest

from csiproxy.operations.secret import Secret

HUSH = "hunter2-and-more"


@pytest.mark.parametrize(
    "show", [str, repr, lambda s: f"{s}", lambda s: f"{s!r}", lambda s: f"{s:>40.9}", lambda s: [s]]
)
def test_a_secret_prints_as_stars_only(show) -> None:
    shown = str(show(Secret(HUSH)))
    assert "***" in shown
    assert HUSH[:4] not in shown
    assert str(len(HUSH)) not in shown


def test_a_secret_is_revealed_by_name_only() -> None:
    with Secret(HUSH).revealed() as text:
        assert text == HUSH
    assert text == "\0" * len(HUSH)
    assert not hasattr(Secret(HUSH), "__dict__")


def test_an_unset_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


def test_secrets_are_equal_by_their_text_and_to_no_text() -> None:
    assert Secret(HUSH) == Secret(HUSH)
    assert Secret(HUSH) != Secret("other")
    assert Secret(HUSH) != HUSH
    assert len({Secret(HUSH), Secret(HUSH)}) == 1


@pytest.mark.parametrize("away", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_copied_out_of_its_object(away) -> None:
    with pytest.raises(TypeError):
        away(Secret(HUSH))


def test_a_traceback_that_mentions_a_secret_shows_stars() -> None:
    try:
        raise ValueError("no such user", Secret(HUSH))
    except ValueError:
        text = traceback.format_exc()
    assert HUSH not in text
