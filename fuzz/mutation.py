"""Mutations by chance from a fixed seed: what can be tried without an engine and its coverage."""

import random
from collections.abc import Callable, Iterator, Sequence

_EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF)
_MOST_EDITS = 6
_LONGEST_RUN = 40


def mutations(inputs: Sequence[bytes], seed: int, count: int, largest: int) -> Iterator[bytes]:
    """``count`` inputs, each one of the given ones with a few edits; the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(inputs))
        for _ in range(chance.randint(1, _MOST_EDITS)):
            chance.choice(_EDITS)(data, chance, inputs)
        yield bytes(data[:largest])


def _flip(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _edge(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice(_EDGES)


def _insert(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 4))


def _remove(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    del data[at : at + chance.randint(1, _LONGEST_RUN)]


def _repeat(data: bytearray, chance: random.Random, _: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = data[at : at + chance.randint(1, _LONGEST_RUN)] * chance.randint(1, 3)


def _splice(data: bytearray, chance: random.Random, inputs: Sequence[bytes]) -> None:
    other = chance.choice(inputs)
    data[chance.randint(0, len(data)) :] = other[chance.randint(0, len(other)) :]


_EDITS: Sequence[Callable[[bytearray, random.Random, Sequence[bytes]], None]] = (
    _flip, _edge, _insert, _remove, _repeat, _splice,
)  # fmt: skip
