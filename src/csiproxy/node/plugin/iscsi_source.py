"""iSCSI targets: discovered, logged in to, and their LUN staged as a disk.

The volume context has ``portal`` (``host`` or ``host:port``), ``iqn`` and, where the target has several
disks, ``lun``; ``auth`` is ``none``, ``chap`` or ``mutual``.  The secrets have ``chapUsername`` and
``chapSecret``, for ``mutual`` also ``mutualChapSecret``.
"""

from collections.abc import Callable
from typing import Final

from csiproxy.client import Client, TargetPortal
from csiproxy.errors import CsiProxyError, FailedPrecondition, InvalidArgument, NotFound
from csiproxy.mounter import iscsi
from csiproxy.mounter.answers import is_refusal
from csiproxy.node.plugin import disks, requests
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.locks import SharedLocks
from csiproxy.node.plugin.records import Record, Records, Source
from csiproxy.node.plugin.source import Staging

PORTAL_KEY: Final = "portal"
IQN_KEY: Final = "iqn"
LUN_KEY: Final = "lun"
AUTH_KEY: Final = "auth"
DEFAULT_PORT: Final = 3260
_WAIT_SECONDS: Final = 60.0
_AUTH: Final = ("none", "chap", "mutual")


class IscsiSource:
    """Stages LUNs.  A session ends with the last volume on its target."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._locks = SharedLocks()

    def plan(self, staging: Staging) -> Source:
        """Read where the target is, and note whether its portal is the node's own or was added here."""
        portal = _read_portal(requests.demand(staging.context, PORTAL_KEY, Kind.ISCSI))
        iqn = requests.demand(staging.context, IQN_KEY, Kind.ISCSI)
        _auth(staging)
        added = any(self._records.others("", lambda other: other.portal_added and _portal(other) == portal))
        known = portal in _portals(staging.client)
        return Source(
            Kind.ISCSI,
            portal_address=portal.target_address,
            portal_port=portal.target_port,
            iqn=iqn,
            portal_added=added or not known,
            partition=disks.partition(staging),
        )

    def stage(self, staging: Staging, record: Record) -> str:
        """Log in, find the LUN's disk, and bring it to the staging path."""
        source = record.source
        with self._locks.hold(source.iqn, _WAIT_SECONDS):
            numbers = iscsi.attach(staging.client, _portal(source), source.iqn, _chap(staging))
            number = _disk(staging, numbers, source.iqn)
        return disks.stage(staging, number, source.partition)

    def unstage(self, client: Client, record: Record) -> None:
        """Unmount; log out and forget the portal where no other volume needs them."""
        source = record.source
        with self._locks.hold(source.iqn, _WAIT_SECONDS):
            others = self._records.others(record.volume_id, lambda other: _portal(other) == _portal(source))
            same_target = [other for other in others if other.source.iqn == source.iqn]
            disks.unstage(client, record, offline=not source.partition)
            if not same_target:
                self._forget(lambda: client.iscsi.disconnect_target(_portal(source), source.iqn))
            if source.portal_added and not others:
                self._forget(lambda: client.iscsi.remove_target_portal(_portal(source)))

    def _forget(self, call: Callable[[], None]) -> None:
        try:
            call()
        except NotFound:
            return  # somebody else has done it


def _portals(client: Client) -> tuple[TargetPortal, ...]:
    """The portals that the node knows; its initiator is started where it does not run."""
    try:
        return client.iscsi.list_target_portals()
    except CsiProxyError as error:
        if not is_refusal(error):
            raise
        client.system.start_service(iscsi.INITIATOR)
        return client.iscsi.list_target_portals()


def _portal(source: Source) -> TargetPortal:
    return TargetPortal(source.portal_address, source.portal_port)


def _read_portal(text: str) -> TargetPortal:
    host, colon, port = text.rpartition(":")
    if not colon or host.endswith(":") or (text.startswith("[") and text.endswith("]")):
        host, port = text, str(DEFAULT_PORT)
    number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0
    if not host or not 0 < number < 65536:
        raise InvalidArgument(f"'{text[:128]}' is no portal: write host or host:port")
    return TargetPortal(host, number)


def _auth(staging: Staging) -> str:
    text = staging.context.get(AUTH_KEY, "none")
    if text not in _AUTH:
        raise InvalidArgument(f"'{text[:16]}' is no way to authenticate: write {', '.join(_AUTH)}")
    return text


def _chap(staging: Staging) -> iscsi.Chap | None:
    """The login that the context asks for, with the secrets that it needs; None for none."""
    auth, secrets = _auth(staging), staging.secrets
    if auth == "none":
        return None
    mutual = secrets.demand("mutualChapSecret") if auth == "mutual" else ""
    return iscsi.Chap(secrets.demand("chapUsername"), secrets.demand("chapSecret"), mutual)


def _disk(staging: Staging, numbers: tuple[int, ...], iqn: str) -> int:
    """The number of the target's disk, or of the one at the LUN that is wanted."""
    lun = staging.context.get(LUN_KEY, "")
    if lun:
        there = {disk.disk_number for disk in staging.client.disk.list_disk_locations() if disk.lun_id == lun}
        numbers = tuple(number for number in numbers if number in there)
    if not numbers:
        raise NotFound(f"the target {iqn[:128]} offers no disk at LUN {lun[:16]}")
    if len(numbers) > 1:
        raise FailedPrecondition(f"the target has {len(numbers)} disks: name one by '{LUN_KEY}'")
    return numbers[0]
