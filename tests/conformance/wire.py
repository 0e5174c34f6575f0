"""A client that shares nothing with the program: grpcio, and messages compiled in the test from the protos.

Every version gets a descriptor pool of its own, because all packages of one version are called alike.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import error_details_pb2, status_pb2

PROTOS = Path(__file__).parents[2] / "src"
# A call that takes longer hangs.
SECONDS = 60


@dataclass(frozen=True)
class Api:
    """One version as its .proto file says it: messages by RPC, and the service's full name."""

    group: str
    version: str
    service: str
    rpcs: Mapping[str, tuple[type, type]]

    @property
    def name(self) -> str:
        return f"{self.group}/{self.version}"

    @property
    def endpoint(self) -> str:
        """The endpoint's name: CSIProxyService has the plain one, a group its own."""
        return "-".join(["csi-proxy", *([self.group] if self.group != "csi-proxy" else []), self.version])


def compile_protos(directory: Path) -> dict[str, Api]:
    """Every version of every group, by names like ``disk/v1beta1``."""
    files = sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.glob("csiproxy/api/*/*.proto"))
    out = directory / "protos.binpb"
    command = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"--proto_path={PROTOS}",
        f"--descriptor_set_out={out}",
    ]
    subprocess.run([*command, *files], check=True)
    apis = (_api(file) for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file)
    return {api.name: api for api in apis}


def names_of_protos() -> list[str]:
    """The same names, without compiling: tests are parameterised by them."""
    found = (path.relative_to(PROTOS / "csiproxy" / "api") for path in PROTOS.glob("csiproxy/api/*/*.proto"))
    return sorted(f"{_group(path.parts[0])}/{path.stem}" for path in found)


def _group(directory: str) -> str:
    return "csi-proxy" if directory == "csi_proxy_service" else directory


def _api(file: descriptor_pb2.FileDescriptorProto) -> Api:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    [service] = pool.FindFileByName(file.name).services_by_name.values()
    rpcs = {
        method.name: (
            message_factory.GetMessageClass(method.input_type),
            message_factory.GetMessageClass(method.output_type),
        )
        for method in service.methods
    }
    *_, directory, leaf = file.name.split("/")
    return Api(_group(directory), leaf.removesuffix(".proto"), service.full_name, rpcs)


@dataclass(frozen=True)
class Refusal:
    """A gRPC status other than OK: its name, the Windows code in its details, and its text."""

    status: str
    windows_code: int | None
    text: str

    def __iter__(self):
        """Status and code: what a test compares."""
        return iter((self.status, self.windows_code))


class Client:
    """Calls one version of one group on a running proxy, in that version's own names."""

    def __init__(self, api: Api, endpoints: str) -> None:
        self.api = api
        self._channel = grpc.insecure_channel(f"unix:{endpoints}/{api.endpoint}.sock")

    def close(self) -> None:
        self._channel.close()

    def __call__(self, rpc: str, **fields: Any) -> Any:
        """The reply; a status other than OK fails the test with its text."""
        request, reply = self.api.rpcs[rpc]
        call = self._channel.unary_unary(
            f"/{self.api.service}/{rpc}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )
        return call(request(**fields), timeout=SECONDS, wait_for_ready=True)

    def refused(self, rpc: str, **fields: Any) -> Refusal:
        """The status that a call ends with, which is not OK."""
        try:
            reply = self(rpc, **fields)
        except grpc.RpcError as error:
            return refusal(error)
        raise AssertionError(f"{self.api.name} {rpc}({fields}) gave {reply!r} and no error")

    def raw(self, path: str, message: bytes = b"") -> bytes:
        """Any method with any bytes."""
        return self._channel.unary_unary(path)(message, timeout=SECONDS, wait_for_ready=True)


def refusal(error: grpc.RpcError) -> Refusal:
    """What a status says, its details read by Google's own messages."""
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert status.code == error.code().value[0]
            assert status.details[0].Unpack(info)
            assert info.domain == "csi-proxy"
    code = info.metadata.get("windows_code")
    return Refusal(error.code().name, int(code) if code else None, error.details() or "")
