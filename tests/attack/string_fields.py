"""Every string field of every RPC of every version, each as the place for one hostile text."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from csiproxy.api.versions import Contract, Method

PREFIX = r"C:\var\lib\kubelet"
OWN = PREFIX + r"\pods\attack"
"""Where the suite's own names are on a node."""
NO_VOLUME = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"

# What stands in the other fields of a request, so that the one that is tried is looked at.  No such server
# or target exists.
_USUAL = {
    "diskdevice": r"\\.\PhysicalDrive99",
    "diskid": "99",
    "volumeid": NO_VOLUME,
    "volumedevice": NO_VOLUME,
    "sourcepath": OWN + r"\source",
    "targetpath": OWN + r"\target",
    "path": OWN + r"\path",
    "mount": OWN + r"\path",
    "stagingpath": OWN + r"\staging",
    "hostpath": OWN + r"\host",
    "localpath": OWN + r"\local",
    "remotepath": r"\\nobody.invalid\share",
    "remoteshare": r"\\nobody.invalid\share",
    "username": "user",
    "password": "password",
    "name": "MSiSCSI",
    "iqn": "iqn.2000-01.org.example:none",
    "nodeiqn": "iqn.2000-01.org.example:none",
    "targetaddress": "192.0.2.1",
    "targetportaladdress": "192.0.2.1",
    "diskname": "none",
}


@dataclass(frozen=True)
class Place:
    """One string field: the way to it in a request."""

    contract: Contract
    method: Method
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.contract.name} {self.method.rpc} {'.'.join(self.names)}"

    def request(self, text: str) -> Message:
        """A request with a text there, and usual ones elsewhere."""
        request = self.method.request()
        _fill(request)
        message = request
        for name in self.names[:-1]:
            message = getattr(message, name)
        last = self.names[-1]
        field = message.DESCRIPTOR.fields_by_name[last]
        value = text.encode("utf-8", "replace") if field.type == FieldDescriptor.TYPE_BYTES else text
        if field.is_repeated:
            getattr(message, last).append(value)
        else:
            setattr(message, last, value)
        return request


def places(contracts: list[Contract]) -> list[Place]:
    """All of them."""
    return [
        Place(contract, method, names)
        for contract in contracts
        for method in contract.methods().values()
        for names in _strings(method.request.DESCRIPTOR)
    ]


def _strings(descriptor: Descriptor) -> Iterator[tuple[str, ...]]:
    for field in descriptor.fields:
        if field.message_type is not None:
            yield from ((field.name, *names) for names in _strings(field.message_type))
        elif field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
            yield (field.name,)


def _fill(message: Message) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            continue
        if field.message_type is not None:
            _fill(getattr(message, field.name))
            getattr(message, field.name).SetInParent()
        elif field.type == FieldDescriptor.TYPE_STRING:
            setattr(message, field.name, _USUAL.get(field.name.replace("_", "").lower(), ""))
        elif field.name.lower() in ("disk_number", "disknumber"):
            setattr(message, field.name, 99)
