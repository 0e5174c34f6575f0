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


def test_a_digest_tells_secrets_apart_and_needs_the_key() -> None:
    digest = Secret(HUSH).digest(b"key", "user")
    assert Secret(HUSH).digest(b"key", "user") == digest
    others = [Secret("x").digest(b"key", "user"), Secret(HUSH).digest(b"yek", "user")]
    assert digest not in [*others, Secret(HUSH).digest(b"key", "us")]
    assert HUSH.encode() not in digest


def test_a_wiped_secret_is_an_empty_one() -> None:
    kept = bytearray(HUSH.encode())
    secret = Secret(kept)
    secret.wipe()
    assert not secret
    assert kept == bytes(len(HUSH))


def test_what_was_revealed_to_a_call_that_failed_is_overwritten_as_well() -> None:
    seen = []

    def call(text: str) -> None:
        seen.append(id(text))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), Secret(HUSH).revealed() as text:
        call(text)
    assert text == "\0" * len(HUSH)
    assert seen == [id(text)]


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
