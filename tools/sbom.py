"""Write what the program is made of: dist/csi-proxy.cdx.json, a CycloneDX 1.6 document.

    python -m tools.sbom

Made by cyclonedx-py from the lock of what runs, so it has the hashes of every file that may be installed.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "dist" / "csi-proxy.cdx.json"


def main() -> None:
    write(DOCUMENT)
    print(DOCUMENT)


def write(document: Path) -> None:
    """Write the document; the same lock gives the same bytes."""
    document.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", str(ROOT / "requirements" / "run.txt")]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"]
    command += ["--output-reproducible", "--spec-version", "1.6", "--of", "JSON", "-o", str(document)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
