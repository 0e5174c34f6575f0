"""Which peers this machine can run, and the command for each."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from benchmarks.measure import python

GO_LIBRARIES = "/usr/share/gocode"


def grpclib_command() -> list[str] | None:
    """grpclib's server, when it is installed."""
    return python("-m", "benchmarks.peers.grpclib_server") if find_spec("grpclib") else None


def grpc_go_command(role: str, directory: Path) -> list[str] | None:
    """grpc-go's ``server`` or ``client``, built from Debian's golang-go and golang-google-grpc-dev."""
    go = shutil.which("go")
    if not go or not Path(GO_LIBRARIES, "src/google.golang.org/grpc").exists():
        return None
    program = directory / f"grpc-go-{role}"
    source = Path(__file__).parent / f"grpc_go_{role}" / "main.go"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": GO_LIBRARIES, "GOFLAGS": "-buildvcs=false"}
    environment.setdefault("GOCACHE", str(Path.home() / ".cache" / "go-build"))
    done = subprocess.run([go, "build", "-o", str(program), str(source)], env=environment, check=False)
    return [str(program)] if done.returncode == 0 else None
