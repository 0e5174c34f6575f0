"""The programs in the guides run as they stand, each page's from top to bottom."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", ["sdk.md"])
def test_the_code_of_a_guide_runs(page, csi_proxy_node, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    program = tmp_path / "guide.py"
    program.write_text("\n".join(blocks))
    environment = {**os.environ, "CSI_PROXY_ENDPOINTS": str(csi_proxy_node.endpoints)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
