"""``csi-proxy versions``: the version table for people and programs."""

from dataclasses import asdict

import click

from csiproxy.api.endpoints import SOCKET_SUFFIX
from csiproxy.api.overview import VersionRow, versions_table
from csiproxy.cli.output import Output, output_option, table

COLUMNS = ("CONTRACT", "STAGE", "ENDPOINT", "RPCS", "DEPRECATED SINCE", "SERVED UNTIL")


@click.command("versions")
@output_option
@click.pass_obj
def command(output: Output) -> None:
    """List every version of every API group: where it is served, and for how long.

    On Windows an endpoint is the pipe \\\\.\\pipe\\ENDPOINT, elsewhere the socket file ENDPOINT.sock.  The
    last version of a group is its newest; older ones are answered by the same operations.
    """
    rows = [row for row in versions_table() if not row.lifecycle.removed_in]
    output.result([_plain(row) for row in rows], lambda screen: screen.print(_table(rows)))


def _table(rows: list[VersionRow]) -> object:
    lines = [
        (
            row.contract,
            row.stage,
            row.endpoint,
            str(len(row.rpcs)),
            *lifetime_columns(row),
        )
        for row in rows
    ]
    return table(COLUMNS, lines, right=("RPCS",))


def lifetime_columns(row: VersionRow) -> tuple[str, str]:
    """Return since when a version is deprecated, and until when it is served at least; ``-`` for never."""
    since, kept = row.lifecycle.deprecated_in or "-", row.kept_until
    if kept is None:
        return since, "-"
    more = f" and {kept.releases_to_come} more releases" if kept.releases_to_come else ""
    return since, f"{kept.not_before}{more}"


def _plain(row: VersionRow) -> dict[str, object]:
    group, _, version = row.contract.partition("/")
    kept = row.kept_until
    return {
        "contract": row.contract,
        "group": group,
        "version": version,
        "stage": row.stage,
        "newest": row.is_hub,
        "service": row.service,
        "endpoint": row.endpoint,
        "pipe": row.pipe,
        "socket": row.endpoint + SOCKET_SUFFIX,
        "rpcs": [rpc.name for rpc in row.rpcs],
        "deprecated_since": row.lifecycle.deprecated_in or None,
        "deprecated_members": [
            {"name": name, **asdict(lifecycle)}
            for name, lifecycle in (*((rpc.name, rpc.lifecycle) for rpc in row.rpcs), *row.fields)
            if lifecycle.deprecated_in
        ],
        "served_until": None
        if kept is None
        else {"day": kept.not_before.isoformat(), "releases_to_come": kept.releases_to_come},
    }
