"""What the three kinds of volumes have in common: a plan, staging, and letting go."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from csiproxy.client import Client
from csiproxy.node.plugin.records import Record, Source
from csiproxy.node.plugin.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Staging:
    """A NodeStageVolume call: where to, from what, with which client (whose deadline is the call's)."""

    client: Client
    path: str
    context: Mapping[str, str]
    publish_context: Mapping[str, str]
    secrets: Secrets
    read_only: bool


class SourceKind(Protocol):
    """Stages volumes of one kind and lets go of them.

    Everything may be done twice, and be found half done.
    """

    def plan(self, staging: Staging) -> Source:
        """Read the contexts, changing nothing; InvalidArgument for what is missing in them."""
        ...

    def stage(self, staging: Staging, record: Record) -> str:
        """Bring the volume to the staging path; gives the Windows volume, "" where none is."""
        ...

    def unstage(self, client: Client, record: Record) -> None:
        """Undo it, also when only a part was done."""
        ...
