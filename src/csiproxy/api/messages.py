"""The generated messages of one version.  Importing this imports protobuf, so it is imported late."""

from importlib import import_module

from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass


class Messages:
    """What protoc made of one .proto file: its descriptor and its message classes."""

    def __init__(self, module: str) -> None:
        descriptor = getattr(import_module(module), "DESCRIPTOR", None)
        if not isinstance(descriptor, FileDescriptor):
            raise TypeError(f"{module} is not a module that protoc made")
        self.file = descriptor

    @property
    def service(self) -> ServiceDescriptor:
        """The one service of the file."""
        (service,) = self.file.services_by_name.values()
        return service

    def classes(self, rpc: str) -> tuple[type[Message], type[Message]]:
        """Return the request and reply classes of an RPC; raises :class:`KeyError` when there is none."""
        method = self.service.methods_by_name[rpc]
        return GetMessageClass(method.input_type), GetMessageClass(method.output_type)
