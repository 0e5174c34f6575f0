"""The tree checks itself: sizes, names, mirrors, and words that do not belong here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "csiproxy"
TESTS = ROOT / "tests"
MODULES = sorted(
    path for path in SOURCE.rglob("*.py") if not path.name.endswith("_pb2.py") and path.name != "__init__.py"
)
LONGEST_MODULE = 500
VAGUE = {"utils", "util", "helpers", "helper", "common", "base", "misc", "ports"}


def relative(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_a_module_is_short_enough_to_hold_one_idea(module: Path) -> None:
    assert len(module.read_text().splitlines()) <= LONGEST_MODULE


def test_the_median_module_is_a_screenful_of_ideas() -> None:
    sizes = sorted(len(module.read_text().splitlines()) for module in MODULES)
    assert sizes[len(sizes) // 2] <= 200


def test_no_module_or_package_has_a_name_that_says_nothing() -> None:
    names = {part.removesuffix(".py") for module in MODULES for part in module.relative_to(SOURCE).parts}
    assert not names & VAGUE


# Modules whose promise is tested elsewhere, each with the place.  The list may only shrink.
TESTED_ELSEWHERE: dict[str, str] = {}


@pytest.mark.parametrize("module", MODULES, ids=relative)
def test_every_module_has_a_test_module_of_its_name(module: Path) -> None:
    name = relative(module)
    mirror = TESTS / module.relative_to(SOURCE).parent / f"test_{module.name}"
    if name in TESTED_ELSEWHERE:
        assert not mirror.exists(), f"{name} has its own tests now: take it off the list"
        assert (TESTS / TESTED_ELSEWHERE[name]).exists()
    else:
        assert mirror.exists()


def test_no_test_replaces_parts_of_the_program_by_mocks() -> None:
    pattern = re.compile(r"unittest\.mock|monkeypatch\.setattr|mocker\b")
    here = Path(__file__)
    found = [str(path) for path in TESTS.rglob("*.py") if path != here and pattern.search(path.read_text())]
    assert found == []


def test_nothing_is_left_unfinished_in_the_source() -> None:
    pattern = re.compile(r"NotImplementedError|\bTODO\b|\bFIXME\b|\bXXX\b")
    assert [relative(module) for module in MODULES if pattern.search(module.read_text())] == []
