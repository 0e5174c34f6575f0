"""What several tests of operations look at, and hosts that misbehave in one way."""

from tests.emulated import KUBELET, PODS, EmulatedNode
from tests.storage.scheduled import ScheduledWin32

from csiproxy.errors import Win32Error
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageDevice, StorageIdentifier
from csiproxy.operations.context import Context
from csiproxy.operations.paths import Confinement
from csiproxy.operations.rails import Rails
from csiproxy.storage import Storage
from csiproxy.storage.disk import Partition


def events(context: Context) -> list[str]:
    """What a call has noted."""
    return [note.event for note in context.notes]


def layout(node: EmulatedNode, number: int) -> list[tuple[int, int, str]]:
    """A disk's partitions, as far as a change would show."""
    return [(p.offset, p.size, p.gpt_type) for p in node.storage.disks.partitions(number)]


def data(node: EmulatedNode, number: int) -> list[Partition]:
    """A disk's partitions but Windows' reserved one."""
    return [partition for partition in node.storage.disks.partitions(number) if not partition.is_reserved]


def system_volumes(node: EmulatedNode) -> tuple[str, ...]:
    """The volumes of the disk that Windows runs from."""
    volumes = node.operations().volume
    return volumes.list_volumes_on_disk(Context(), disk_number=0, partition_number=0).volume_ids


def ext4() -> bytes:
    """What makes a partition ext4, from its byte 1024 on."""
    block = bytearray(1024)
    block[56:58] = b"\x53\xef"
    block[92:100] = bytes((4, 0, 0, 0, 0x40, 0, 0, 0))
    return bytes(block)


def identifier(
    text: bytes,
    *,
    code_set: CodeSet = CodeSet.ASCII,
    type: IdentifierType = IdentifierType.VENDOR_SPECIFIC,  # noqa: A002 - the port names it so
    association: Association = Association.DEVICE,
) -> StorageIdentifier:
    """A descriptor of page 83."""
    return StorageIdentifier(code_set, type, association, text)


class MuteDisk(ScheduledWin32):
    """A host whose driver does not answer for disk 1, as happens with some drivers."""

    def storage_device(self, path: str) -> StorageDevice:
        device = super().storage_device(path)
        if device.number == 1:
            raise Win32Error(1, "DeviceIoControl", "Incorrect function")
        return device


def rails(storage: Storage) -> Rails:
    """All guard rails over a node."""
    return Rails(storage, Confinement((KUBELET,)), storage.pod_links(PODS))
