"""Compile every .proto file of the package into the _pb2.py and _pb2.pyi next to it.

Run it after a .proto file changed, with grpcio-tools installed (extra ``test``)::

    python tools/generate_protos.py                 # writes beside the .proto files
    python tools/generate_protos.py --out DIR       # writes under DIR, to compare

A file is compiled under the name that its module has (``csiproxy/api/disk/v1.proto``), because that name
is its key in protobuf's descriptor pool; all files called ``api.proto`` could not live in one process.
"""

import argparse
import keyword
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "src"


def proto_files() -> list[str]:
    """Return the .proto files of the package as paths relative to ``src``, in a stable order."""
    return sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.glob("csiproxy/**/*.proto"))


def generate(out: Path) -> list[Path]:
    """Compile all .proto files below ``out`` and return the files written, relative to it.

    Raises :class:`RuntimeError` with the compiler's words when it finds a fault.
    """
    protos = proto_files()
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"--proto_path={SOURCE}",
        f"--python_out={out}",
        f"--pyi_out={out}",
        *protos,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError(f"protoc failed ({done.returncode}): {done.stderr.strip()}")
    for proto in protos:
        mend_stub(out / f"{proto.removesuffix('.proto')}_pb2.pyi")
    stems = [Path(proto).with_suffix("") for proto in protos]
    return [stem.with_name(stem.name + ending) for stem in stems for ending in ("_pb2.py", "_pb2.pyi")]


def mend_stub(stub: Path) -> None:
    """Make a stub one that a strict type checker reads.

    Names that Python cannot spell go: the compiler writes ``None: AuthType`` as it is, though an enum value
    of that name is legal and is reached through its enum (``AuthType.Value``).  And the checker is told that
    a bare ``Mapping`` is the compiler's choice.
    """
    lines = stub.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not keyword.iskeyword(line.partition(":")[0].strip())]
    stub.write_text('# mypy: disable-error-code="type-arg"\n' + "".join(kept))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(description="compile the .proto files of csiproxy")
    parser.add_argument("--out", type=Path, default=SOURCE, help="directory to write under (default: src)")
    options = parser.parse_args(arguments)
    written = generate(options.out)
    print(f"{len(written)} files written under {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
