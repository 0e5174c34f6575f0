"""Every class of the emulated CIM server says how near it comes to Windows', and every point has a test."""

import re
from pathlib import Path

import pytest

from csiproxy.emulator.fidelity import Fidelity, Point, providers

TESTS = Path(__file__).parents[1]
# Taken with a default, so that a class without an account fails its own test and no other.
ACCOUNTS = {kind.schema.name: getattr(kind, "fidelity", None) for kind in providers()}
POINTS = {
    f"{name}: {point.text}": point
    for name, account in ACCOUNTS.items()
    if isinstance(account, Fidelity)
    for point in (*account.like, *account.unlike)
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_class_gives_an_account_of_itself(name: str) -> None:
    account = ACCOUNTS[name]
    assert isinstance(account, Fidelity), "the docstring of csiproxy.emulator.fidelity says how"
    assert account.page.startswith("https://learn.microsoft.com/")
    assert account.like
    texts = [point.text for point in (*account.like, *account.unlike)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_a_point_is_a_phrase_and_its_test_exists(point: Point) -> None:
    assert point.text == point.text.strip(" .")
    assert "|" not in point.text
    module = TESTS / point.module
    assert module.is_file(), module
    assert re.search(rf"^def {point.test}\(", module.read_text(), re.MULTILINE), point.test
