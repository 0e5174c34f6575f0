"""Hostile texts in every string field of every RPC of every version."""

import os
import random
import tempfile
import unicodedata
from collections.abc import Callable, Sequence

from tests.attack import payloads
from tests.attack.string_fields import OWN, Place, places
from tests.attack.suite import Attack, Result
from tests.attack.target import Answer, Target

from csiproxy.errors import Code

_NEVER = frozenset((Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS))
_CONTROLS = frozenset(("Cc", "Cf", "Zl", "Zp", "Cs"))
"""What no text for a person may hold: it drives terminals, or turns lines around."""


def unprintable(text: str) -> set[str]:
    """The characters of a text that no screen should get."""
    return {f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in _CONTROLS}


def fire(target: Target, patterns: payloads.Patterns, tries: int, seed: int) -> Result:
    """Put each pattern into each field, or as many as there are tries, each field at least once."""
    chance = random.Random(seed)
    result = Result()
    with tempfile.TemporaryDirectory(prefix="cp-") as directory:
        mark = os.path.join(directory, "mark")
        texts = patterns(mark)
        fields = places(target.contracts())
        cleared = 0
        for place, text in _shots(chance, fields, texts, tries):
            result.tries += 1
            answer = target.send(place.contract, place.method, place.request(text))
            _judge(place, text, answer, result)
            if answer.done and place.method.rpc == "Mkdir" and answer.reply is not None:
                target.call("filesystem/v1", "Rmdir", path=text, force=False)
                cleared += 1
            if result.tries % 64 == 0 and target.pid:
                result.wrong(*(f"{place}: process {pid} was started" for pid in target.children()))
        result.wrong(*(f"{name} was made: a command ran" for name in os.listdir(directory)))
    target.call("filesystem/v1", "Rmdir", path=OWN, force=True)
    result.beside = cleared + 1
    return result


def _shots(
    chance: random.Random, fields: Sequence[Place], texts: Sequence[str], tries: int
) -> list[tuple[Place, str]]:
    every = [(place, text) for place in fields for text in texts]
    if tries >= len(every):
        return every
    once = [(place, chance.choice(texts)) for place in fields]
    return once + chance.sample(every, max(0, tries - len(once)))


def _judge(place: Place, text: str, answer: Answer, result: Result) -> None:
    if answer.code in _NEVER:
        result.wrong(f"{place} {text[:80]!r}: {answer.code.name} {answer.text}")
    if bad := unprintable(answer.text):
        result.wrong(f"{place} {text[:80]!r}: the error's text holds {', '.join(sorted(bad))}")


def _firing(patterns: payloads.Patterns) -> Callable[[Target, int, int], Result]:
    return lambda target, tries, seed: fire(target, patterns, tries, seed)


def screens(target: Target, tries: int, seed: int) -> Result:
    """Texts that would forge records: each call must leave one, with the text in it as it was sent."""
    before = len(target.records()) if target.audit else 0
    result = fire(target, payloads.screens, tries, seed)
    if target.audit:
        with open(target.audit, "rb") as file:
            lines = file.read().split(b"\n")
        outside = [line for line in lines if not line.isascii() or any(byte < 0x20 for byte in line)]
        result.wrong(*(f"a record holds what is no printable ASCII: {line[:80]!r}" for line in outside))
        calls = [record for record in target.records()[before:] if "rpc" in record]
        if len(calls) != result.tries + result.beside:
            result.wrong(f"{result.tries + result.beside} calls left {len(calls)} records")
    if target.log:
        with open(target.log, "rb") as file:
            text = file.read().decode("utf-8", "replace")
        if bad := unprintable(text.replace("\n", "").replace("\t", "")):
            result.wrong(f"the log holds {', '.join(sorted(bad))}")
    return result


_EVERYWHERE = "no process, no file, no failure of its own"
ATTACKS = (
    *(Attack(name, _EVERYWHERE, _firing(patterns)) for name, patterns in payloads.CVES.items()),
    Attack("names and encodings", "no failure of its own", _firing(payloads.names)),
    Attack("log and terminal injection", "one line of printable ASCII for each call", screens),
)
