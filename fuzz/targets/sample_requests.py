"""Requests as clients send them, for every RPC: what fuzzing begins with."""

from collections.abc import Iterable, Mapping

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from fuzz.targets.endpoints import PLUGINS, PODS, endpoints

_TEXTS = {
    "disk_device": r"\\.\PhysicalDrive2", "context": "",
    "volume_id": r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\",
    "volume_device": r"\\?\Volume{00000000-0000-4000-8000-00000000dead}",
    "source_path": PODS + r"\a", "target_portal_port": "3260", "remote_path": r"\\server\share",
    "remote_share": r"\\server\share", "name": "MSiSCSI", "iqn": "iqn.2000-01.org.example:a",
}  # fmt: skip
_PATH = PLUGINS + r"\a"


def sample_requests(number: str = "2") -> Iterable[tuple[int, bytes]]:
    """The number of an RPC and the bytes of a request for it, one for each RPC.

    ``number`` is what stands where a version takes a disk's number as text.
    """
    texts = {**_TEXTS, "disk_id": number, "diskid": number}
    for index, endpoint in enumerate(endpoints()):
        request = endpoint.route.method.request()
        _fill(request, texts)
        yield index, request.SerializeToString()


def _fill(message: Message, texts: Mapping[str, str]) -> None:
    for field in message.DESCRIPTOR.fields:
        if field.is_repeated:
            continue
        if field.message_type is not None:
            _fill(getattr(message, field.name), texts)
            getattr(message, field.name).SetInParent()
        elif field.type == FieldDescriptor.TYPE_STRING:
            usual = texts.get(field.name.lower(), _PATH if "path" in field.name.lower() else "text")
            setattr(message, field.name, usual)
        elif field.type == FieldDescriptor.TYPE_BOOL:
            setattr(message, field.name, True)
        elif field.enum_type is None:
            setattr(message, field.name, 2)
