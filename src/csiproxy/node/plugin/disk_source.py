"""Disks that a cloud or hypervisor has attached: found by what the publish context says of them."""

from typing import Final

from csiproxy.client import Client
from csiproxy.errors import FailedPrecondition, InvalidArgument, NotFound
from csiproxy.node.plugin import disks
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.records import Record, Source
from csiproxy.node.plugin.source import Staging

SERIAL_KEY: Final = "serialNumber"
PAGE83_KEY: Final = "page83"
LUN_KEY: Final = "lun"
KEYS: Final = (SERIAL_KEY, PAGE83_KEY, LUN_KEY)
"""What may name a disk, in the publish context or else in the volume's.  All that are given have to fit."""


class DiskSource:
    """Stages disks by serial number, page-83 identifier or LUN."""

    def plan(self, staging: Staging) -> Source:
        """See that the disk is named."""
        if not _wanted(staging):
            raise InvalidArgument(f"no disk is named: the publish context needs one of {', '.join(KEYS)}")
        return Source(Kind.DISK, partition=disks.partition(staging))

    def stage(self, staging: Staging, record: Record) -> str:
        """Find it, with a rescan only where it is not there at first, and bring it to the staging path."""
        wanted = _wanted(staging)
        number = _find(staging.client, wanted)
        if number is None:
            staging.client.disk.rescan()
            number = _find(staging.client, wanted)
        if number is None:
            named = ", ".join(f"{key} '{value[:64]}'" for key, value in wanted.items())
            raise NotFound(f"the node has no disk with {named}: see that it is attached, then try again")
        return disks.stage(staging, number, record.source.partition)

    def unstage(self, client: Client, record: Record) -> None:
        """Unmount it, and take the disk offline unless other partitions of it may be in use."""
        disks.unstage(client, record, offline=not record.source.partition)


def _wanted(staging: Staging) -> dict[str, str]:
    named = {key: staging.publish_context.get(key) or staging.context.get(key, "") for key in KEYS}
    return {key: value for key, value in named.items() if value}


def _find(client: Client, wanted: dict[str, str]) -> int | None:
    """The number of the disk that has everything that is wanted; FailedPrecondition where several have."""
    found: set[int] | None = None
    if LUN_KEY in wanted:
        at = wanted[LUN_KEY].casefold()
        found = {
            disk.disk_number for disk in client.disk.list_disk_locations() if disk.lun_id.casefold() == at
        }
    if SERIAL_KEY in wanted or PAGE83_KEY in wanted:
        named = {
            disk.disk_number
            for disk in client.disk.list_disk_ids()
            if wanted.get(SERIAL_KEY, disk.serial_number) == disk.serial_number
            and wanted.get(PAGE83_KEY, disk.page83) == disk.page83
        }
        found = named if found is None else found & named
    if not found:
        return None
    if len(found) > 1:
        numbers = ", ".join(map(str, sorted(found)))
        raise FailedPrecondition(f"disks {numbers} fit what is wanted: name the disk by '{SERIAL_KEY}'")
    return found.pop()
