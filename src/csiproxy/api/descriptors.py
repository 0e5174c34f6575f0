"""Descriptor sets, from which tools such as grpcurl and protoc learn the API without reflection.

``csi-proxy descriptors > api.pb; grpcurl -protoset api.pb …``
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from csiproxy.api.contract import Contract

if TYPE_CHECKING:
    from google.protobuf.descriptor import FileDescriptor


def descriptor_set(contracts: Iterable[Contract]) -> bytes:
    """Return a serialized ``google.protobuf.FileDescriptorSet`` of the contracts.

    It holds each file once, after everything that it imports, as protoc's ``--include_imports`` does.
    """
    from google.protobuf.descriptor_pb2 import FileDescriptorSet  # here: only this call needs protobuf

    from csiproxy.api.messages import Messages

    files: dict[str, FileDescriptor] = {}
    for contract in contracts:
        _add(Messages(contract.module).file, files)
    result = FileDescriptorSet()
    for file in files.values():
        file.CopyToProto(result.file.add())
    return result.SerializeToString()


def _add(file: FileDescriptor, files: dict[str, FileDescriptor]) -> None:
    if file.name in files:
        return
    for dependency in file.dependencies:
        _add(dependency, files)
    files[file.name] = file
