"""What `make` installs is locked by hashes, and is what pyproject.toml asks for."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
MAKEFILE = (ROOT / "Makefile").read_text()


def locked(name: str) -> dict[str, set[Version]]:
    """The versions of each package in a lock; there are several where systems or Pythons need others."""
    found: dict[str, set[Version]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.M
    ):
        found.setdefault(canonicalize_name(package), set()).add(Version(version))
    return found


def wanted(texts: list[str]) -> Iterator[Requirement]:
    for requirement in map(Requirement, texts):
        if canonicalize_name(requirement.name) == PROJECT["project"]["name"]:
            for extra in requirement.extras:
                yield from wanted(EXTRAS[extra])
        else:
            yield requirement


def unlocked(name: str, texts: list[str]) -> list[str]:
    have = locked(name)

    def is_locked(requirement: Requirement) -> bool:
        versions = have.get(canonicalize_name(requirement.name), ())
        return any(requirement.specifier.contains(version) for version in versions)

    return [str(requirement) for requirement in wanted(texts) if not is_locked(requirement)]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_package_of_a_lock_has_its_hashes(lock: Path) -> None:
    packages = re.split(r"\n(?=\S)", lock.read_text().split("\n", 1)[1].strip())
    assert [package for package in packages if "--hash=sha256:" not in package] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_has_what_the_project_asks_for(lock: Path) -> None:
    name = lock.stem
    runs = PROJECT["project"]["dependencies"]
    asked = {
        "run": runs,
        "backend": PROJECT["build-system"]["requires"],
        "everything": [*runs, *(text for texts in EXTRAS.values() for text in texts)],
    }.get(name) or [*runs, *EXTRAS[name]]
    assert unlocked(name, asked) == [], "write the locks anew: make lock"


def test_all_locks_have_the_same_versions() -> None:
    everything = locked("everything")
    for lock in LOCKS:
        for package, versions in locked(lock.stem).items():
            assert versions <= everything[package], (lock.stem, package)


def test_there_is_a_lock_for_whatever_make_installs() -> None:
    stamps = set(re.findall(r"\$\(call stamp,([a-z-]+)\)", MAKEFILE))
    assert stamps <= {lock.stem for lock in LOCKS}
