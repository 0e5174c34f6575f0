"""Every claim of the threat model names its tests, and every test that is named exists."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "security.md").read_text()
_TABLE = "| claim | tests |\n|---|---|\n"
CLAIMS = [
    row.removeprefix("| ").removesuffix(" |").rsplit(" | ", 1)
    for table in PAGE.split(_TABLE)[1:]
    for row in table.split("\n\n")[0].splitlines()
]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))


def test_there_are_claims() -> None:
    assert len(CLAIMS) > 30
    assert len(NAMED) > 40
    assert PAGE.count("| claim |") == PAGE.count(_TABLE)


@pytest.mark.parametrize(("claim", "tests"), CLAIMS, ids=[claim[:60] for claim, _ in CLAIMS])
def test_a_claim_names_its_tests(claim: str, tests: str) -> None:
    named = re.findall(r"`[\w/]+\.py::test_\w+`", tests)
    assert named
    assert ", ".join(named) == tests


@pytest.mark.parametrize(("module", "test"), NAMED, ids=lambda part: part)
def test_a_named_test_exists(module: str, test: str) -> None:
    path = TESTS / module
    assert path.is_file(), module
    assert re.search(rf"^def {test}\(", path.read_text(), re.MULTILINE), test
