"""The program knows the release that it is packaged as."""

import tomllib
from pathlib import Path

from csiproxy.version import __version__


def test_the_version_is_the_packages():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert __version__ == project["version"]
