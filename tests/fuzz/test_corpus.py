"""Every fuzz target on what is checked in for it, and on mutations from fixed seeds: no engine needed."""

import importlib.util
import os

import pytest
from fuzz.catalogue import CATALOGUE, load
from fuzz.corpus import CORPUS, checked_in, inputs
from fuzz.cuts import Cuts, joined
from fuzz.mutation import mutations
from hypothesis import given
from hypothesis import strategies as st

MUTATIONS = 1500
SLOW = {"calls": 120, "state": 120}
LARGEST_FILE, MOST_FILES = 1024, 40


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_target_keeps_its_promises_on_its_seeds_and_corpus(name: str) -> None:
    target = load(name)
    for data in inputs(target):
        target.run(data)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_target_keeps_its_promises_on_mutations(name: str) -> None:
    target = load(name)
    for data in mutations(inputs(target), seed=1, count=SLOW.get(name, MUTATIONS), largest=target.largest):
        target.run(data)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_corpus_is_small(name: str) -> None:
    files = dict(checked_in(name))
    assert len(files) <= MOST_FILES
    assert all(len(data) <= LARGEST_FILE for data in files.values())
    assert all(len(data) <= CATALOGUE[name].largest for data in load(name).seeds())


def test_every_corpus_has_its_target() -> None:
    assert set(os.listdir(CORPUS)) <= CATALOGUE.keys()


def test_every_target_has_an_entry() -> None:
    for entry in CATALOGUE.values():
        assert importlib.util.find_spec(f"fuzz.targets.{entry.module}") is not None
        assert entry.promise


def test_mutations_are_the_same_for_the_same_seed() -> None:
    first, again = (list(mutations([b"abc", b"", b"x" * 50], 7, 200, 60)) for _ in range(2))
    assert first == again
    assert len(set(first)) > 100
    assert max(map(len, first)) <= 60


@given(st.lists(st.binary(max_size=300)), st.sampled_from([1, 2]))
def test_pieces_are_taken_apart_as_they_were_joined(pieces: list[bytes], length_bytes: int) -> None:
    pieces = [piece[: 256**length_bytes - 1] for piece in pieces]
    assert list(Cuts(joined(pieces, length_bytes)).pieces(length_bytes)) == pieces


@given(st.binary())
def test_any_input_is_taken_apart(data: bytes) -> None:
    cuts = Cuts(data)
    assert cuts.take(3) == data[:3]
    assert cuts.number(2).to_bytes(2, "big") == data[3:5].ljust(2, b"\0")
    assert cuts.rest() == data[5:]
    assert not cuts
    assert cuts.number() == 0
