"""The same calls through grpc-go, with messages that protoc generated for Go from our protos.

Built from Debian's packages golang-go, golang-google-grpc-dev and protoc-gen-go.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2
from tests.conformance.wire import PROTOS, Api, Refusal

LIBRARIES = Path("/usr/share/gocode")
SOURCE = Path(__file__).parent / "go" / "main.go"
STATUS = {code.value[0]: code for code in grpc.StatusCode}


def build(directory: Path, go: str, generator: str) -> Path:
    """Generate the messages, link them with the client, and give the program."""
    package = directory / "src" / "csiproxytest"
    package.mkdir(parents=True)
    files = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.glob("csiproxy/api/*/*.proto"))
    names = {file: "_".join(Path(file).with_suffix("").parts[2:]) for file in files}
    # The protos name no Go package: that is the client's business.
    places = [f"--go_opt=M{file}=csiproxytest/stubs/{name}" for file, name in names.items()]
    # grpcio-tools' protoc: that of Debian 12 is too old to know debug_redact.
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--plugin=protoc-gen-go={generator}"]
    subprocess.run([*protoc, f"-I{PROTOS}", f"--go_out={directory / 'src'}", *places, *files], check=True)
    imports = "".join(f'\t_ "csiproxytest/stubs/{name}"\n' for name in names.values())
    (package / "stubs.go").write_text(f"package main\n\nimport (\n{imports})\n")
    shutil.copy(SOURCE, package)
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": f"{directory}:{LIBRARIES}",
        "GOFLAGS": "-buildvcs=false",
        "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build")),
    }
    program = directory / "go-client"
    subprocess.run([go, "build", "-o", str(program), "csiproxytest"], env=environment, check=True)
    return program


class GoProgram:
    """The running client."""

    def __init__(self, program: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def call(self, **call: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(call) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


class GoRefused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.status}: {refusal.text}")
        self.refusal = refusal


class GoClient:
    """Calls one version of one group, like :class:`tests.conformance.wire.Client`."""

    def __init__(self, api: Api, endpoints: str, program: GoProgram) -> None:
        self.api = api
        self._program = program
        self._where = {
            "socket": f"{endpoints}/{api.endpoint}.sock",
            # As it stands in the Go clients: a raw string whose separators are doubled.
            "target": rf"\\.\\pipe\\{api.endpoint}",
        }

    def close(self) -> None:
        pass

    def _send(self, path: str, message: bytes, *, raw: bool) -> bytes:
        request = base64.b64encode(message).decode()
        answer = self._program.call(**self._where, path=path, request=request, raw=raw)
        if answer["code"]:
            raise GoRefused(_refusal(answer))
        return base64.b64decode(answer["reply"] or "")

    def __call__(self, rpc: str, **fields: Any) -> Any:
        request, reply = self.api.rpcs[rpc]
        path = f"/{self.api.service}/{rpc}"
        return reply.FromString(self._send(path, request(**fields).SerializeToString(), raw=False))

    def refused(self, rpc: str, **fields: Any) -> Refusal:
        try:
            reply = self(rpc, **fields)
        except GoRefused as error:
            return error.refusal
        raise AssertionError(f"{self.api.name} {rpc}({fields}) gave {reply!r} and no error")

    def raw(self, path: str, message: bytes = b"") -> bytes:
        return self._send(path, message, raw=True)


def _refusal(answer: dict[str, Any]) -> Refusal:
    code = None
    if answer["details"]:
        status = status_pb2.Status.FromString(base64.b64decode(answer["details"]))
        info = error_details_pb2.ErrorInfo()
        assert status.details[0].Unpack(info)
        code = info.metadata.get("windows_code")
    return Refusal(STATUS[answer["code"]].name, int(code) if code else None, answer["message"])
