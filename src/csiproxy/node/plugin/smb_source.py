r"""SMB shares: mapped once for the node, linked to from the staging path.

The volume context has ``source`` (``//server/share``, or a directory below); the secrets ``username``,
``password`` and, if there is one, ``domain``.
"""

from typing import Final

from csiproxy.client import Client
from csiproxy.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from csiproxy.mounter.links import is_live_link, remove_link
from csiproxy.node.plugin import requests
from csiproxy.node.plugin.capability import Kind
from csiproxy.node.plugin.locks import SharedLocks
from csiproxy.node.plugin.records import Record, Records, Source
from csiproxy.node.plugin.secrets import Secrets
from csiproxy.node.plugin.source import Staging

SOURCE_KEY: Final = "source"
_WAIT_SECONDS: Final = 60.0


class SmbSource:
    """Stages shares.  A share's mapping is removed with the last volume on it."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._locks = SharedLocks()

    def plan(self, staging: Staging) -> Source:
        """Read where the share is."""
        text = requests.demand(staging.context, SOURCE_KEY, Kind.SMB)
        share = text.replace("/", "\\").removesuffix("\\")
        if not share.startswith("\\\\") or len(share.split("\\")) < 4:
            raise InvalidArgument(f"'{text[:128]}' is no share: write //server/share")
        return Source(Kind.SMB, share=share)

    def stage(self, staging: Staging, record: Record) -> str:
        """Map the share and link the staging path to it: two calls where kubelet has made the directory.

        A link that is in use is looked at and left alone: taking it away, if only for a moment, would take
        the share from every workload.
        """
        if record.staged and is_live_link(staging.client, staging.path):
            return ""
        with self._locks.hold(_root(record.source), _WAIT_SECONDS):
            user, password = _credentials(staging.secrets)
            for _ in range(2):
                remove_link(staging.client, staging.path)  # or the empty directory that kubelet has made
                try:
                    staging.client.smb.new_smb_global_mapping(
                        record.source.share, local_path=staging.path, username=user, password=password
                    )
                except AlreadyExists:
                    continue  # a link whose maker's reply was lost: looked at in the next round
                return ""
        raise FailedPrecondition(f"something else is at {staging.path} again and again: see who makes it")

    def unstage(self, client: Client, record: Record) -> None:
        """Remove the link, and with the last one the mapping: two calls."""
        with self._locks.hold(_root(record.source), _WAIT_SECONDS):
            remove_link(client, record.staging_path)
            root = _root(record.source)
            if not self._records.others(record.volume_id, lambda source: _root(source) == root):
                client.smb.remove_smb_global_mapping(record.source.share)


def _root(source: Source) -> str:
    r"""The share itself, ``\\server\share``, in small letters; "" for another kind of source."""
    return "\\".join(source.share.split("\\")[:4]).casefold()


def _credentials(secrets: Secrets) -> tuple[str, str]:
    user, domain = secrets.take("username"), secrets.take("domain")
    if user and domain and "\\" not in user and "@" not in user:
        user = f"{domain}\\{user}"
    return user, secrets.demand("password") if user else ""
