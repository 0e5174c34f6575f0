"""How full a volume is, and whether something is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass

from csiproxy.client import Client, VolumeStats
from csiproxy.errors import CsiProxyError
from csiproxy.mounter.answers import is_refusal
from csiproxy.mounter.links import is_live_link
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.records import Record

ShareUsage = Callable[[str], VolumeStats | None]
"""Measures what a path of the node leads to, without the proxy; None where that cannot be done."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``problem`` is empty when nothing is wrong; ``stats`` None when nothing can be measured."""

    stats: VolumeStats | None
    problem: str = ""


def look(client: Client, record: Record, path: str, share_usage: ShareUsage) -> Condition:
    """Look at a volume through one of its paths: two calls."""
    if not is_live_link(client, path):
        return Condition(None, f"{path} leads nowhere: the volume was unmounted or its disk has gone")
    if record.source.kind is Kind.SMB:
        return Condition(share_usage(path))
    try:
        return Condition(client.volume.get_volume_stats(record.volume))
    except CsiProxyError as error:
        if not is_refusal(error):
            raise
        return Condition(None, f"the volume cannot be measured: {error}")
