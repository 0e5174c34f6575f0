"""A secret that a test leaves anywhere fails the run, whichever process drew it and whichever said it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import leaks

ROOT = Path(__file__).parents[1]
CONFTEST = """
import pytest
from tests import leaks

def pytest_configure(config):
    leaks.configure(config)

@pytest.fixture
def secret(tmp_path):
    yield leaks.draw
    leaks.search(tmp_path)
"""

# As this project has it: directories of tests that passed are removed.
KEEP = ("-o", "tmp_path_retention_policy=failed", "-o", "tmp_path_retention_count=1")


def run(directory: Path, test: str, *options: str) -> tuple[int, str]:
    """Run one test with the plugin, in a process of its own; its exit code and what was found."""
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "test_it.py").write_text(test)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "CSI_PROXY_TEST"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *KEEP, *options, "."],
        cwd=directory,
        env={**environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
    )
    return done.returncode, "\n".join(line for line in done.stdout.splitlines() if "SECRET FOUND" in line)


@pytest.mark.parametrize(
    ("test", "where"),
    [
        ("def test_it(secret, tmp_path): (tmp_path / 'a.log').write_text(f'x{secret()}y')", "a.log"),
        ("def test_it(secret, tmp_path): (tmp_path / 'a').write_bytes(secret().encode('utf-16-le'))", "/a"),
        (
            "import json\ndef test_it(secret, tmp_path): (tmp_path / 'a').write_text(json.dumps(secret()))",
            "/a",
        ),
        ("def test_it(secret): print(secret())", "test_it.py::test_it says"),
        ("def test_it(secret): assert secret() == ''", "test_it.py::test_it says"),
        (
            "def test_it(secret, tmp_path_factory): (tmp_path_factory.mktemp('d')/'b').write_text(secret())",
            "/b",
        ),
    ],
)
def test_a_secret_that_is_left_somewhere_is_found(tmp_path, test, where):
    code, found = run(tmp_path, test, "-rA")
    assert code == 1
    assert where in found


def test_a_secret_of_one_worker_is_found_in_what_it_says_and_writes(tmp_path):
    test = "def test_it(secret, tmp_path_factory):\n"
    test += "    print(secret())\n    (tmp_path_factory.mktemp('d') / 'b').write_text(secret())"
    code, found = run(tmp_path, test, "-n", "2", "-rA")
    assert code == 1
    assert "test_it says" in found
    assert "/b" in found


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_run_that_leaves_none_passes(tmp_path, options):
    test = "def test_it(secret, tmp_path):\n    secret()\n    (tmp_path / 'a').write_text('hush')"
    assert run(tmp_path, test, *options) == (0, "")


def test_a_secret_behind_a_hole_of_a_large_file_is_found(tmp_path):
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 << 30)
        file.seek((32 << 30) + leaks._CHUNK - 20)
        file.write(b"needle-in-it")
    assert any(b"needle-in-it" in piece for piece in leaks._contents(image))
