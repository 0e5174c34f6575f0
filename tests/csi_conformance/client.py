"""A caller of CSI that shares nothing with what it calls: grpcio."""

from typing import Any

import grpc

from csiproxy.csi import v1_pb2

SECONDS = 60.0
CODE = grpc.StatusCode
MIB = 1 << 20
Mode = v1_pb2.VolumeCapability.AccessMode.Mode
METHODS = {
    method.input_type.name: (f"/{service.full_name}/{method.name}", method.output_type.name)
    for service in v1_pb2.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class Csi:
    """Calls a plugin at a unix socket."""

    def __init__(self, socket: str) -> None:
        self._channel = grpc.insecure_channel(f"unix:{socket}")

    def __call__(self, request: Any) -> Any:
        path, reply = METHODS[type(request).__name__]
        return self._callable(path, getattr(v1_pb2, reply).FromString)(
            request.SerializeToString(), timeout=SECONDS, wait_for_ready=True
        )

    def _callable(self, path: str, read: Any) -> Any:
        return self._channel.unary_unary(
            path, request_serializer=lambda data: data, response_deserializer=read
        )

    def start(self, request: Any) -> Any:
        """Begin a call; its future."""
        path, reply = METHODS[type(request).__name__]
        return self._callable(path, getattr(v1_pb2, reply).FromString).future(
            request.SerializeToString(), timeout=SECONDS
        )

    def raw(self, path: str, data: bytes = b"") -> bytes:
        """Call anything with any bytes."""
        return self._callable(path, lambda reply: reply)(data, timeout=SECONDS)

    def fails(self, request: Any) -> tuple[Any, str]:
        """Make a call that has to fail; its status and text."""
        try:
            reply = self(request)
        except grpc.RpcError as error:
            return error.code(), error.details()
        raise AssertionError(f"it succeeded: {reply}")

    def status(self, request: Any) -> Any:
        """The status of a call that has to fail."""
        return self.fails(request)[0]

    def close(self) -> None:
        self._channel.close()


def mounted(mode: int = Mode.SINGLE_NODE_WRITER, fs_type: str = "ntfs", flags: tuple[str, ...] = ()) -> Any:
    capability = v1_pb2.VolumeCapability()
    capability.mount.fs_type = fs_type
    capability.mount.mount_flags.extend(flags)
    capability.access_mode.mode = mode
    return capability


def block() -> Any:
    capability = v1_pb2.VolumeCapability()
    capability.block.SetInParent()
    capability.access_mode.mode = Mode.SINGLE_NODE_WRITER
    return capability
