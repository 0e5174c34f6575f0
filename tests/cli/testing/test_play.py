import os
from pathlib import Path

import pytest

from csiproxy.cli.testing.play import DEFAULT, default_manifests, read_files
from csiproxy.testing.node_sim.manifests import ManifestError

EXAMPLE = Path(__file__).parents[3] / "examples" / "07-sql-server.yaml"


def test_the_example_is_what_is_played_by_default() -> None:
    assert os.path.samefile(EXAMPLE, DEFAULT)
    assert read_files([str(EXAMPLE)]) == default_manifests()


def test_a_file_that_is_no_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("kind: Secret\nmetadata: {name: x}")
    with pytest.raises(ManifestError, match="Secret x"):
        read_files([str(tmp_path / "x")])
