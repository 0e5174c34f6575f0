"""Go programs for Windows, built here from Debian's Go libraries."""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).parent / "go"
LIBRARIES = Path("/usr/share/gocode")


def build(directory: Path, go: str, name: str) -> Path:
    """Build the program ``name`` (a folder of tests/wine/go) for Windows."""
    package = directory / "src" / "csiproxytest"
    if not package.exists():
        shutil.copytree(SOURCE, package)
    environment = {
        **os.environ,
        "GOOS": "windows",
        "GOARCH": "amd64",
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOPATH": f"{directory}:{LIBRARIES}",
        "GOFLAGS": "-buildvcs=false",
        "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build")),
    }
    program = directory / f"{name}.exe"
    subprocess.run([go, "build", "-o", str(program), f"csiproxytest/{name}"], env=environment, check=True)
    return program
